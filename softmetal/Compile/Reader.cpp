// The rewriter: one pass over tokens, without a parse. Seven things are rewritten:
//
//   template [[host_name("x")]] [[kernel]] void f<float>(...)   attributes of an explicit instantiation: `[[x]]` is not legal there,
//                                                               __attribute__((x)) is
//   float4(a, b, c, d)   vec<T, 2>(a, b)   T(a, b, c)           clang's vectors have no constructors: __msl_make<float4>(...). T is any
//                                                               name that the file declares as a type by template, using or typedef
//   float2 x(a, b);                                             float2 x = __msl_make<float2>(a, b);
//   constant T x[2]                                             a parameter: constant T *x, since clang forbids arrays there
//   Name(constant char *)                                       [[]] before the parameter: clang takes an address space there for no
//                                                               type, and the constructor for a variable
//   [[kernel]]                                                  [[msl_kernel]], since `kernel` is a macro
//   static_cast<T>(x)                                           __msl_cast<T>(x): half and bfloat convert, which clang forbids. T as above,
//                                                               or a name of half or bfloat
#include "softmetal/Compile/Reader.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"

using llvm::StringRef;

namespace softmetal {

unsigned Rewritten::column(unsigned line, unsigned column) const {
  long shift = 0;
  for (const Edit &edit : edits) {
    if (edit.line != line)
      continue;
    if (column < edit.after)
      break;
    if (column < edit.after + edit.afterLength)
      return edit.before;
    shift = long(edit.before + edit.beforeLength) - long(edit.after + edit.afterLength);
  }
  return unsigned(long(column) + shift);
}

namespace {

bool isWordStart(char c) { return llvm::isAlpha(c) || c == '_'; }
bool isWord(char c) { return llvm::isAlnum(c) || c == '_'; }

class Rewriter {
public:
  explicit Rewriter(StringRef source) : source(source) {}

  Rewritten run() {
    collectTypeNames();
    result.text.reserve(source.size() + source.size() / 8);
    while (position < source.size())
      step();
    return std::move(result);
  }

private:
  StringRef source;
  size_t position = 0;
  unsigned line = 1;
  size_t lineStart = 0, outputLineStart = 0;
  StringRef previousWord;        // the last word, if nothing but blanks or attributes followed it
  bool afterTemplate = false;    // between `template` and the next token that is no attribute
  char previousChar = '\n';      // the last character that is no blank
  llvm::StringSet<> classNames;  // names after `struct` and `class`
  llvm::StringSet<> typeNames;   // names that the file declares as types and that may be vectors
  Rewritten result;

  void copy(size_t count) {
    for (size_t end = std::min(position + count, source.size()); position < end; ++position) {
      char c = source[position];
      result.text += c;
      if (c == '\n') {
        ++line;
        lineStart = position + 1;
        outputLineStart = result.text.size();
      } else if (!llvm::isSpace(c)) {
        previousChar = c;
      }
    }
  }

  // Replaces `count` characters of one line.
  void replace(size_t count, StringRef by) {
    result.edits.push_back({line, unsigned(position - lineStart) + 1, unsigned(count), unsigned(result.text.size() - outputLineStart) + 1,
                            unsigned(by.size())});
    result.text += by;
    position += count;
    if (!by.empty())
      previousChar = by.back();
  }

  size_t skipBlanks(size_t at) const {
    while (at < source.size() && (source[at] == ' ' || source[at] == '\t' || source[at] == '\n' || source[at] == '\r' ||
                                  (source[at] == '\\' && at + 1 < source.size() && source[at + 1] == '\n')))
      ++at;
    return at;
  }

  StringRef wordAt(size_t at) const {
    size_t end = at;
    while (end < source.size() && isWord(source[end]))
      ++end;
    return source.slice(at, end);
  }

  size_t lengthOfComment() const {
    if (source.substr(position).starts_with("//"))
      return std::min(source.find('\n', position), source.size()) - position;
    size_t end = source.find("*/", position + 2);
    return (end == StringRef::npos ? source.size() : end + 2) - position;
  }

  size_t lengthOfLiteral() const {
    char quote = source[position];
    size_t end = position + 1;
    while (end < source.size() && source[end] != quote && source[end] != '\n')
      end += source[end] == '\\' ? 2 : 1;
    return std::min(end + 1, source.size()) - position;
  }

  size_t lengthOfNumber() const {
    size_t end = position;
    while (end < source.size()) {
      char c = source[end];
      bool exponentSign = (c == '+' || c == '-') && end > position && StringRef("eEpP").contains(source[end - 1]);
      if (!isWord(c) && c != '.' && c != '\'' && !exponentSign)
        break;
      ++end;
    }
    return end - position;
  }

  void step() {
    char c = source[position];
    StringRef rest = source.substr(position);
    if (rest.starts_with("//") || rest.starts_with("/*"))
      return copy(lengthOfComment());
    if (c == '"' || c == '\'') {
      previousWord = {};
      return copy(lengthOfLiteral());
    }
    if (rest.starts_with("[["))
      return attribute();
    if (isWordStart(c))
      return word();
    if (llvm::isDigit(c)) {
      previousWord = {};
      return copy(lengthOfNumber());
    }
    if (c == '(' && classNames.contains(previousWord)) {
      StringRef first = wordAt(skipBlanks(position + 1));
      copy(1);
      if (first == "device" || first == "constant" || first == "threadgroup")
        replace(0, "[[]] ");
      previousWord = {};
      return;
    }
    if (!llvm::isSpace(c) && c != '\\') {
      previousWord = {};
      afterTemplate = false;
    }
    copy(1);
  }

  // The word `kernel`, which is a macro, anywhere; every attribute of an explicit instantiation.
  void attribute() {
    size_t close = source.find("]]", position + 2);
    if (close == StringRef::npos)
      return copy(2);
    bool instantiation = afterTemplate;
    if (instantiation)
      replace(2, "__attribute__((");
    else
      copy(2);
    // Arguments may lie on other lines: copied as they are.
    bool atName = true;
    for (int depth = 0; position < close;) {
      char c = source[position];
      if (atName && isWordStart(c)) {
        StringRef name = wordAt(position);
        if (instantiation || name == "kernel")
          replace(name.size(), ("msl_" + name).str());
        else
          copy(name.size());
        atName = false;
        continue;
      }
      depth += c == '(' ? 1 : c == ')' ? -1 : 0;
      atName |= c == ',' && depth == 0;
      copy(1);
    }
    if (instantiation)
      replace(2, "))");
    else
      copy(2);
    afterTemplate = instantiation;
    previousWord = {};
  }

  void word() {
    StringRef name = wordAt(position);
    size_t end = position + name.size();
    if (name == "static_cast" && convertsToScalar(end)) {
      replace(name.size(), "__msl_cast");
      previousWord = {};
      return;
    }
    bool instantiates = name == "template" && source[std::min(skipBlanks(end), source.size() - 1)] != '<';
    if (size_t head = lengthOfVectorHead(name)) {
      // A qualifier that was already copied goes into the angle brackets with the name.
      size_t qualifier = lengthOfQualifier();
      if (!qualifier || sameLine(qualifier)) {
        undo(qualifier);
        StringRef type = source.substr(position, qualifier + head);
        std::string made = ("__msl_make<" + type + ">").str();
        replace(qualifier + head, made);
        previousWord = {};
        afterTemplate = false;
        return;
      }
    }
    if (size_t bracket = lengthOfArrayParameter(end)) {
      replace(name.size(), ("*" + name).str());
      return replace(bracket, "");
    }
    bool makesVector =
        isVectorName(previousWord) && end < source.size() && source[end] == '(' && hasTopLevelComma(end) && !takesParameters(end);
    StringRef type = previousWord;
    copy(name.size());
    if (makesVector)
      replace(0, (" = __msl_make<" + type + ">").str());
    previousWord = makesVector ? StringRef() : name;
    afterTemplate = instantiates;
  }

  // Whether `<T>(` follows, with a T that may be half or bfloat.
  bool convertsToScalar(size_t at) const {
    if (at >= source.size() || source[at] != '<')
      return false;
    StringRef type = wordAt(at + 1);
    size_t close = at + 1 + type.size();
    bool known = typeNames.contains(type) ||
                 llvm::StringSwitch<bool>(type).Cases({"half", "float16_t", "bfloat", "bfloat16_t"}, true).Default(false);
    return known && source.substr(close).starts_with(">(");
  }

  // Whether the first argument in parentheses is a declaration, `float a` or `const device float *a`: two words side by side.
  bool takesParameters(size_t open) const {
    size_t comma = source.find(',', open);
    for (size_t i = open + 1; i < comma; ++i)
      if (isWordStart(source[i]) && !isWord(source[i - 1])) {
        size_t next = skipBlanks(i + wordAt(i).size());
        if (next < source.size() && isWordStart(source[next]))
          return true;
      }
    return false;
  }

  // Length of `[2]` after the name of a parameter `constant T name[2]`, or 0.
  size_t lengthOfArrayParameter(size_t at) const {
    if (at >= source.size() || source[at] != '[')
      return 0;
    size_t close = source.find_first_of("]\n", at);
    if (close == StringRef::npos || source[close] != ']')
      return 0;
    size_t after = skipBlanks(close + 1);
    if (after >= source.size() || (source[after] != ',' && source[after] != ')'))
      return 0;
    size_t start = position;
    while (start && (isWord(source[start - 1]) || llvm::isSpace(source[start - 1]) || StringRef(":<>").contains(source[start - 1])))
      --start;
    if (!start || (source[start - 1] != '(' && source[start - 1] != ','))
      return 0;
    for (size_t i = start; i < position; ++i)
      if (isWordStart(source[i]) && !isWord(source[i - 1]))
        if (StringRef word = wordAt(i); word == "device" || word == "constant" || word == "threadgroup")
          return close + 1 - at;
    return 0;
  }

  bool sameLine(size_t qualifier) const { return position - lineStart >= qualifier && result.text.size() - outputLineStart >= qualifier; }

  void undo(size_t qualifier) {
    position -= qualifier;
    result.text.resize(result.text.size() - qualifier);
  }

  size_t lengthOfQualifier() const {
    StringRef before = source.substr(0, position);
    for (StringRef qualifier : {"metal::", "simd::"})
      if (before.ends_with(qualifier)) {
        size_t start = position - qualifier.size();
        return start && (isWord(source[start - 1]) || source[start - 1] == ':') ? 0 : qualifier.size();
      }
    return 0;
  }

  // Length of the type of a constructor call that may make a vector, or 0.
  size_t lengthOfVectorHead(StringRef name) const {
    // A declaration `T x`, `operator float4()`, a destructor, a constructor of a class of that name, a member.
    if (previousWord == "operator" || previousWord == "typename" || previousChar == '~' || previousChar == '.' ||
        source.substr(0, position).ends_with("->"))
      return 0;
    size_t end = position + name.size();
    if (isVectorName(name)) {
      size_t open = skipBlanks(end);
      return open < source.size() && source[open] == '(' && !declaresFunction(open) ? name.size() : 0;
    }
    if (name == "vec") {
      size_t close = endOfAngles(end);
      if (!close)
        return 0;
      size_t open = skipBlanks(close);
      bool oneLine = !source.slice(position, close).contains('\n');
      return open < source.size() && source[open] == '(' && oneLine ? close - position : 0;
    }
    if (typeNames.contains(name) && !classNames.contains(name) && end < source.size() && source[end] == '(' && hasTopLevelComma(end))
      return name.size();
    return 0;
  }

  static bool isVectorName(StringRef name) {
    if (name.size() < 4 || name.back() < '2' || name.back() > '4')
      return false;
    return llvm::StringSwitch<bool>(name.drop_back())
        .Cases({"bool", "char", "uchar", "short", "ushort", "int", "uint", "long", "ulong", "half", "float", "bfloat"}, true)
        .Default(false);
  }

  // `float4 (*f)(...)`, `float4 (&r)[2]`: a declarator, no call.
  bool declaresFunction(size_t open) const {
    size_t inner = skipBlanks(open + 1);
    return inner + 1 < source.size() && (source[inner] == '*' || source[inner] == '&') && previousChar != '=' && previousChar != '(' &&
           previousChar != ',' && previousWord != "return";
  }

  size_t endOfAngles(size_t at) const {
    if (at >= source.size() || source[at] != '<')
      return 0;
    int depth = 0;
    for (size_t i = at; i < source.size(); ++i) {
      char c = source[i];
      if (c == '<')
        ++depth;
      else if (c == '>' && --depth == 0)
        return i + 1;
      else if (c == ';' || c == '{')
        return 0;
    }
    return 0;
  }

  bool hasTopLevelComma(size_t open) const {
    int depth = 0;
    for (size_t i = open; i < source.size(); ++i) {
      char c = source[i];
      if (c == '(' || c == '[' || c == '{')
        ++depth;
      else if ((c == ')' || c == ']' || c == '}') && --depth == 0)
        return false;
      else if (c == ',' && depth == 1)
        return true;
      else if (c == ';')
        return false;
    }
    return false;
  }

  // Parameters of templates, and names made by using and typedef. A class of the same name is harmless: __msl_make calls its constructor.
  void collectTypeNames() {
    for (StringRef keyword : {"typename", "class", "struct", "using"}) {
      for (size_t at = source.find(keyword); at != StringRef::npos; at = source.find(keyword, at + 1)) {
        size_t end = at + keyword.size();
        if ((at && isWord(source[at - 1])) || end >= source.size() || isWord(source[end]))
          continue;
        StringRef name = wordAt(skipBlanks(end));
        size_t next = skipBlanks(skipBlanks(end) + name.size());
        char after = next < source.size() ? source[next] : ' ';
        if (!name.empty() && (keyword == "struct" || keyword == "class") && (after == '{' || after == ':' || after == '<'))
          classNames.insert(name);
        bool declares = keyword == "using" ? after == '=' : after == ',' || after == '>' || after == '=';
        if (!name.empty() && declares)
          typeNames.insert(name);
      }
    }
  }
};

} // namespace

Rewritten rewriteMetal(StringRef source) { return Rewriter(source).run(); }

} // namespace softmetal
