# cmake -DOUTPUT=x.cpp -DHEADERS=a;b -P EmbedHeaders.cmake: the library's headers as string literals.
set(text "// Generated from softmetal/include.\n#include \"softmetal/Compile/FileSystem.h\"\n\nnamespace softmetal {\n\n"
    "llvm::ArrayRef<std::pair<llvm::StringRef, llvm::StringRef>> libraryHeaders() {\n"
    "  static const std::pair<llvm::StringRef, llvm::StringRef> headers[] = {\n")
string(CONCAT text ${text})
foreach(header IN LISTS HEADERS)
  get_filename_component(name ${header} NAME)
  file(READ ${header} body)
  string(APPEND text "      {\"${name}\", R\"METAL(${body})METAL\"},\n")
endforeach()
string(APPEND text "  };\n  return headers;\n}\n\n} // namespace softmetal\n")
file(WRITE ${OUTPUT} "${text}")
