// The version of the library.
#include "softmetal/softmetal.h"

const char *softmetalVersion(void) { return SOFTMETAL_VERSION; }
