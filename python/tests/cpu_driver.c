// Runs one kernel of the CPU device on a machine without a C library: parameters and arrays come on standard input, the arrays go
// back on standard output. KERNEL is the kernel's name.
typedef unsigned char byte;
typedef long i64;

void KERNEL(const void *params, const int *grid, i64 begin, i64 end, char *arena);

static _Alignas(64) byte memory[48 << 20];

// What the backend may call, beside the kernel's own code.
void *memset(void *to, int value, unsigned long count) {
  for (volatile byte *p = to; count--; ++p)
    *p = (byte)value;
  return to;
}
void *memcpy(void *to, const void *from, unsigned long count) {
  volatile byte *p = to;
  for (const byte *q = from; count--;)
    *p++ = *q++;
  return to;
}

// What kernels with loops that may not end ask; this driver lets them go on.
void triton_metal_poll(const void *site, int x, int y, int z) { (void)site, (void)x, (void)y, (void)z; }

static i64 call(i64 number, i64 a, i64 b, i64 c) {
  register i64 x8 __asm__("x8") = number;
  register i64 x0 __asm__("x0") = a;
  register i64 x1 __asm__("x1") = b;
  register i64 x2 __asm__("x2") = c;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
  return x0;
}

static void leave(int status) {
  call(93, status, 0, 0);
  __builtin_unreachable();
}

static void take(void *to, i64 count) {
  for (i64 got; count > 0; count -= got, to = (byte *)to + got)
    if ((got = call(63, 0, (i64)to, count)) <= 0)
      leave(2);
}

static void give(const byte *from, i64 count) {
  for (i64 done; count > 0; count -= done, from += done)
    if ((done = call(64, 1, (i64)from, count)) <= 0)
      leave(3);
}

void _start(void) {
  struct {
    i64 grid[3], paramBytes, arenaBytes, arrays;
    struct {
      i64 offset, bytes;
    } array[32];
  } header;
  take(&header, sizeof header);
  byte *end = memory;
  byte *params = end, *first;
  take(params, header.paramBytes);
  first = end += (header.paramBytes + 63) / 64 * 64;
  for (i64 i = 0; i < header.arrays; ++i) {
    i64 bytes = header.array[i].bytes;
    if (end + bytes + header.arenaBytes + 128 > memory + sizeof memory)
      leave(4);
    take(end, bytes);
    *(byte **)(params + header.array[i].offset) = end;
    end += (bytes + 63) / 64 * 64;
  }
  int grid[3] = {(int)header.grid[0], (int)header.grid[1], (int)header.grid[2]};
  KERNEL(params, grid, 0, header.grid[0] * header.grid[1] * header.grid[2], (char *)end);
  for (i64 i = 0; i < header.arrays; ++i) {
    give(first, header.array[i].bytes);
    first += (header.array[i].bytes + 63) / 64 * 64;
  }
  leave(0);
}
