//===- Import.cpp - text of other releases, before it is parsed ----------------------===//
//
// Works on lines, because every operation begins one; strings and comments are skipped. What a line's operation is decides almost
// everything, so nothing of MLIR is needed, and what is unknown passes through to the parser.
//
//===----------------------------------------------------------------------===//
#include "triton_metal/Compiler/Import.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/ADT/StringSwitch.h"

using llvm::StringRef;

namespace triton_metal {

/// The line with its strings emptied and without its comment; columns are kept.
static std::string withoutStrings(StringRef line) {
  std::string code = line.str();
  bool inString = false;
  for (size_t i = 0; i < code.size(); ++i) {
    if (!inString && StringRef(code).substr(i).starts_with("//")) {
      code.resize(i);
      break;
    }
    if (code[i] == '"') {
      inString = !inString;
    } else if (inString) {
      bool escapes = code[i] == '\\';
      code[i] = ' ';
      if (escapes && i + 1 < code.size())
        code[++i] = ' ';
    }
  }
  return code;
}

/// The operation that a line begins with, after its results: `%x:2 = "tt.reduce"(` gives tt.reduce. Empty where there is none.
static StringRef operationOf(StringRef line) {
  line = line.ltrim();
  if (line.starts_with("%")) {
    size_t equals = line.find('=');
    if (equals == StringRef::npos)
      return {};
    line = line.substr(equals + 1).ltrim();
  }
  line.consume_front("\"");
  StringRef name = line.take_while([](char c) { return llvm::isAlnum(c) || c == '_' || c == '.'; });
  return name.contains('.') ? name : StringRef();
}

/// Why an operation of upstream's tt dialect cannot be read; empty for those that can.
static StringRef refusal(StringRef operation) {
  static constexpr StringRef blockPointers =
      "block pointers of Triton 3.2 to 3.7 are not read from text; give the .ttir stage, in which upstream has rewritten them to "
      "pointers, or compile the kernel's source here";
  static constexpr StringRef descriptors =
      "tensor descriptors are not read from text; compile the kernel's source here, or the module for a target without them, whose "
      ".ttir stage has plain pointers instead";
  static constexpr StringRef unsupported = "this operation is not supported; write the kernel without it";
  return llvm::StringSwitch<StringRef>(operation)
      .Cases({"tt.make_tensor_ptr", "tt.advance"}, blockPointers)
      .StartsWith("tt.descriptor_", descriptors)
      .StartsWith("tt.experimental_", descriptors)
      .Cases({"tt.make_tensor_descriptor", "tt.reinterpret_tensor_descriptor"}, descriptors)
      .Cases({"tt.dot_scaled", "tt.map_elementwise", "tt.atomic_poll", "tt.atomic_load", "tt.atomic_store"}, unsupported)
      .Case("tt.elementwise_inline_asm", "this assembly is for another target and has no meaning on the CPU or on Metal; write the "
                                         "operation in Triton")
      .Default("");
}

static Error errorAt(std::string_view name, size_t line, size_t column, const llvm::Twine &message) {
  Error error;
  error.kind = Error::Kind::Parse;
  error.message = message.str();
  error.where = {std::string(name), unsigned(line), unsigned(column + 1)};
  return error;
}

Result<std::string> importText(std::string_view text, std::string_view name) {
  std::string result;
  result.reserve(text.size());
  StringRef rest(text.data(), text.size());
  for (size_t number = 1; !rest.empty(); ++number) {
    auto [line, after] = rest.split('\n');
    bool hasNewline = line.size() != rest.size();
    rest = after;
    std::string code = withoutStrings(line);
    StringRef operation = operationOf(line), plain(code);
    size_t column = line.find(operation);
    if (operation == "gpu.barrier" || operation == "ttg.barrier") {
      size_t location = plain.find(" loc(");
      result += line.substr(0, column).str() + "tt.debug_barrier" + (location == StringRef::npos ? "" : line.substr(location).str());
    } else if (operation.starts_with("tt.grid_dependency_")) {
      // A hint about other launches; there is nothing to wait for.
    } else if (operation == "tt.approx_divf") {
      result += line.substr(0, column).str() + "arith.divf" + line.substr(column + operation.size()).str();
    } else {
      if (StringRef why = refusal(operation); !why.empty())
        return errorAt(name, number, column, "'" + operation + "': " + why);
      if (size_t at = plain.find("!tt.tensordesc"); at != StringRef::npos)
        return errorAt(name, number, at, "'!tt.tensordesc': " + refusal("tt.make_tensor_descriptor"));
      if (size_t at = plain.find("!tt.ptr<tensor<"); at != StringRef::npos)
        return errorAt(name, number, at, "'!tt.ptr<tensor<...>>': " + refusal("tt.advance"));
      for (StringRef later : {"#ttg.", "!ttg.", "ttg.", "#triton_gpu.", "triton_gpu.", "ttng.", "amdgpu.", "#ttng."}) {
        size_t at = plain.find(later);
        auto continues = [](char c) { return llvm::isAlnum(c) || c == '_' || c == '.'; };
        bool begins = at != StringRef::npos && (at == 0 || !continues(plain[at - 1]));
        // Attributes of the module are strings, which are emptied here: "ttg.num-warps".
        if (begins || line.contains("\"ttg.num-warps\"") || line.contains("\"triton_gpu.num-warps\""))
          return errorAt(name, number, begins ? at : 0,
                         "this is TTGIR, laid out for the threads of one GPU; give the kernel's .ttir stage, which is portable");
      }
      result += line.str();
    }
    if (hasNewline)
      result += '\n';
  }
  return result;
}

} // namespace triton_metal
