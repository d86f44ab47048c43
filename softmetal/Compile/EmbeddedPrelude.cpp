// The prelude made at build time.
#include "softmetal/Compile/Prelude.h"

static const unsigned char bytes[] = {
#embed "prelude.pch"
};

llvm::StringRef softmetal::embeddedPrelude() { return {reinterpret_cast<const char *>(bytes), sizeof(bytes)}; }
