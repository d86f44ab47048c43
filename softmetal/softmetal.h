// The C interface of libsoftmetal.so: all that a process which loads it by dlopen can call. No type of LLVM crosses it.
#ifndef SOFTMETAL_SOFTMETAL_H
#define SOFTMETAL_SOFTMETAL_H

#define SOFTMETAL_API __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

// "MAJOR.MINOR.PATCH" of triton-metal, of which this library is a part: both must be the same.
SOFTMETAL_API const char *softmetalVersion(void);

#ifdef __cplusplus
}
#endif
#endif
