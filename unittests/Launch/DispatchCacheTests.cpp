//===- DispatchCacheTests.cpp - the table from words to specialisations --------------===//
#include "triton_metal/Launch/DispatchCache.h"

#include <gtest/gtest.h>
#include <random>

using namespace triton_metal;

TEST(DispatchCache, FindsWhatWasInserted) {
  DispatchCache<int> cache;
  std::mt19937_64 random(1);
  std::vector<std::vector<uint64_t>> keys;
  std::vector<int> values(500);
  for (int i = 0; i < 500; ++i) {
    std::vector<uint64_t> key(1 + i % 7);
    for (uint64_t &word : key)
      word = random();
    EXPECT_EQ(cache.find(key.data(), key.size()), nullptr);
    cache.insert(key.data(), key.size(), &values[i]);
    keys.push_back(key);
  }
  for (int round = 0; round < 2; ++round)
    for (int i = 0; i < 500; ++i)
      EXPECT_EQ(cache.find(keys[i].data(), keys[i].size()), &values[i]);
  EXPECT_EQ(cache.size(), 500u);
}

TEST(DispatchCache, LengthAndEveryWordCount) {
  DispatchCache<int> cache;
  int value = 0;
  uint64_t words[] = {1, 2, 3, 4};
  cache.insert(words, 3, &value);
  EXPECT_EQ(cache.find(words, 3), &value);
  EXPECT_EQ(cache.find(words, 4), nullptr);
  EXPECT_EQ(cache.find(words, 2), nullptr);
  words[2] = 9;
  EXPECT_EQ(cache.find(words, 3), nullptr);
  words[2] = 3;
  cache.clear();
  EXPECT_EQ(cache.find(words, 3), nullptr);
}
