//===- Reports.h - sites of generated code in words ---------------------------------------===//
#pragma once
#include "triton_metal/Runtime/CPU/Callbacks.h"

#include <cstring>

namespace triton_metal::cpu {

inline const char *fileOf(const Site &site) { return reinterpret_cast<const char *>(&site) + sizeof(Site); }
inline const char *textOf(const Site &site) { return fileOf(site) + std::strlen(fileOf(site)) + 1; }

/// What went wrong at a site in a program.
Fault faultAt(const Site &site, int32_t x, int32_t y, int32_t z, std::string message);

// Callbacks of shared arrays (SharedChecks.cpp).
void sharedBegin(const Site *site, int32_t x, int32_t y, int32_t z, const char *address, int64_t count);
void sharedAccess(const Site *site, int32_t x, int32_t y, int32_t z, const char *address, int64_t mask);
void sharedAccessLanes(const Site *site, int32_t x, int32_t y, int32_t z, const uint64_t *addresses, int64_t mask);
void sharedBarrier(const Site *site, int32_t x, int32_t y, int32_t z);

} // namespace triton_metal::cpu
