// Fibre switch for the System V ABI of x86-64: callee-saved registers only. MXCSR and the x87 control word are the same for all
// lanes of a launch and stay as they are.
#if defined(__x86_64__)
#ifdef __APPLE__
#define NAME(x) _##x
#else
#define NAME(x) x
#endif
// void softmetal_fibre_switch(void **save, void *target)
    .text
    .globl NAME(softmetal_fibre_switch)
#ifndef __APPLE__
    .hidden softmetal_fibre_switch
    .type softmetal_fibre_switch, @function
#endif
    .p2align 4
NAME(softmetal_fibre_switch):
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq  %rsp, (%rdi)
    movq  %rsi, %rsp
    popq  %r15
    popq  %r14
    popq  %r13
    popq  %r12
    popq  %rbx
    popq  %rbp
    ret
#ifndef __APPLE__
    .size softmetal_fibre_switch, . - softmetal_fibre_switch
#endif
#endif
#if defined(__linux__) && defined(__ELF__)
    .section .note.GNU-stack, "", %progbits
#endif
