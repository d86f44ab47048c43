//===- MetalDriverTests.cpp - the driver over the software Metal's table -------------------------------------------------===//
#include "triton_metal/Runtime/Metal/Driver.h"
#include "triton_metal/Runtime/Clock.h"
#include "triton_metal/Runtime/Metal/Log.h"
#include "gtest/gtest.h"
#include <cstring>
#include <dlfcn.h>
#include <vector>

using namespace triton_metal::metal;

namespace {

const char *text = R"(#include <metal_stdlib>
struct P { device float* y; int n; };
kernel void fill(constant P& p [[buffer(0)]], uint g [[threadgroup_position_in_grid]], uint l [[thread_position_in_threadgroup]]) {
  int i = g * 32 + l;
  if (i < p.n) p.y[i] = p.y[i] + i;
}
kernel void spin(constant P& p [[buffer(0)]]) { volatile int x = 1; while (x) { } p.y[0] = 1; }
)";

struct alignas(16) Params {
  uint64_t y = 0;
  int32_t n = 0;
};

class MetalDriver : public testing::Test {
protected:
  void SetUp() override {
    void *library = dlopen(SOFTMETAL_LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (!library)
      GTEST_SKIP() << dlerror();
    calls = reinterpret_cast<const MetalCalls *(*)()>(dlsym(library, "softmetalMetalCalls"))();
    ASSERT_FALSE(Driver::create(calls, driver));
  }
  const Pipeline *make(const char *function, uint32_t checks = 0) {
    PipelineRequest request;
    request.text = text;
    request.function = function;
    request.checks = checks;
    const Pipeline *pipeline = nullptr;
    Error error = driver->pipeline(request, pipeline);
    EXPECT_FALSE(error) << error.message;
    return pipeline;
  }
  Error fill(const Pipeline &pipeline, float *memory, int n, uint64_t bytes, uint32_t groups, LaunchTimes *times = nullptr) {
    Params params;
    params.n = n;
    ArrayArgument array;
    array.host = memory;
    array.bytes = bytes;
    LaunchRequest request;
    request.params = &params;
    request.paramsBytes = sizeof params;
    request.arrays = &array;
    request.arrayCount = 1;
    request.grid[0] = groups;
    request.times = times;
    return driver->launch(pipeline, request);
  }
  const MetalCalls *calls = nullptr;
  std::unique_ptr<Driver> driver;
};

TEST_F(MetalDriver, RunsOnMemoryOfTheHostInPlace) {
  float y[100] = {};
  const Pipeline *pipeline = make("fill");
  ASSERT_FALSE(fill(*pipeline, y, 100, sizeof y, 4));
  Error error = driver->synchronize();
  ASSERT_FALSE(error) << error.message;
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(y[i], float(i));
}

TEST_F(MetalDriver, MakesEachLibraryAndPipelineOnce) {
  const Pipeline *first = make("fill");
  EXPECT_EQ(first, make("fill"));
  make("spin");
  EXPECT_EQ(driver->statistics().librariesMade, 1u);
  EXPECT_EQ(driver->statistics().pipelinesMade, 2u);
  EXPECT_NE(first, make("fill", MetalCheckAll));
}

TEST_F(MetalDriver, KeepsOneEncoderOpenFor64Launches) {
  float y[32] = {};
  const Pipeline *pipeline = make("fill");
  for (int i = 0; i < 63; ++i)
    ASSERT_FALSE(fill(*pipeline, y, 32, sizeof y, 1));
  EXPECT_EQ(driver->statistics().commits, 0u);
  ASSERT_FALSE(fill(*pipeline, y, 32, sizeof y, 1));
  EXPECT_EQ(driver->statistics().commits, 1u);
  ASSERT_FALSE(driver->synchronize());
  EXPECT_EQ(driver->statistics().commits, 1u);
  EXPECT_EQ(y[31], 64 * 31.0f);
}

TEST_F(MetalDriver, TimesALaunchInACommandBufferOfItsOwn) {
  float y[32] = {};
  const Pipeline *pipeline = make("fill");
  LaunchTimes first, second;
  uint64_t before = triton_metal::hostNanoseconds();
  ASSERT_FALSE(fill(*pipeline, y, 32, sizeof y, 1)); // open when the next comes
  ASSERT_FALSE(fill(*pipeline, y, 32, sizeof y, 1, &first));
  ASSERT_FALSE(fill(*pipeline, y, 32, sizeof y, 1, &second));
  EXPECT_EQ(driver->statistics().commits, 3u);
  ASSERT_FALSE(driver->synchronize());
  EXPECT_LE(before, first.begin);
  EXPECT_LT(first.begin, first.end);
  EXPECT_LE(first.end, second.begin);
  EXPECT_LT(second.begin, second.end);
  EXPECT_LE(second.end, triton_metal::hostNanoseconds());
  EXPECT_EQ(y[31], 3 * 31.0f);
}

TEST_F(MetalDriver, UsesItsOwnBuffers) {
  std::unique_ptr<Buffer> buffer;
  ASSERT_FALSE(driver->allocate(400, buffer));
  Params params;
  params.n = 100;
  ArrayArgument array;
  array.buffer = buffer.get();
  LaunchRequest request;
  request.params = &params;
  request.paramsBytes = sizeof params;
  request.arrays = &array;
  request.arrayCount = 1;
  request.grid[0] = 4;
  ASSERT_FALSE(driver->launch(*make("fill"), request));
  ASSERT_FALSE(driver->synchronize());
  EXPECT_EQ(static_cast<float *>(buffer->contents())[99], 99.0f);
}

TEST_F(MetalDriver, ReportsAnOverrunWithItsLine) {
  float y[100] = {};
  ASSERT_FALSE(fill(*make("fill", MetalCheckAll), y, 100, sizeof y - 4, 4));
  Error error = driver->synchronize();
  EXPECT_EQ(error.kind, ErrorKind::DeviceFault);
  ASSERT_FALSE(error.reports.empty());
  EXPECT_EQ(error.reports[0].kind, uint32_t(MetalReportBounds));
  EXPECT_EQ(error.reports[0].line, 5u);
}

TEST_F(MetalDriver, RefusesWhatMetalRefuses) {
  PipelineRequest request;
  const Pipeline *pipeline = nullptr;
  request.text = "kernel void broken(";
  request.function = "broken";
  EXPECT_EQ(driver->pipeline(request, pipeline).kind, ErrorKind::CompileFailed);
  request.text = text;
  request.function = "absent";
  Error missing = driver->pipeline(request, pipeline);
  EXPECT_EQ(missing.kind, ErrorKind::MissingFunction);
  EXPECT_NE(missing.message.find("fill"), std::string::npos);
  request.function = "fill";
  request.threads = 2048;
  Error threads = driver->pipeline(request, pipeline);
  EXPECT_EQ(threads.kind, ErrorKind::OutOfResources);
  EXPECT_EQ(threads.required, 2048u);
  EXPECT_EQ(threads.limit, 1024u);
  EXPECT_EQ(threads.resource, "threads of a threadgroup");

  Params params;
  LaunchRequest launch;
  launch.params = &params;
  launch.paramsBytes = sizeof params;
  launch.threadgroupBytes = 40000;
  Error memory = driver->launch(*make("fill"), launch);
  EXPECT_EQ(memory.kind, ErrorKind::OutOfResources);
  EXPECT_EQ(memory.required, 40000u);
  EXPECT_EQ(memory.limit, driver->deviceInfo().maxThreadgroupMemory);
  launch.threadgroupBytes = 0;
  launch.paramsBytes = 12;
  EXPECT_EQ(driver->launch(*make("fill"), launch).kind, ErrorKind::LaunchFailed);
  launch.paramsBytes = sizeof params;
  launch.grid[0] = UINT32_MAX;
  EXPECT_EQ(driver->launch(*make("fill"), launch).kind, ErrorKind::LaunchFailed);
  EXPECT_EQ(driver->statistics().launches, 0u);
}

TEST_F(MetalDriver, EndsAnEndlessKernel) {
  float y[1] = {};
  const Pipeline *pipeline = make("spin", MetalCheckBounds);
  MetalRunOptions options{};
  options.timeoutMs = 50;
  options.optLevel = -1;
  driver->setRunOptions(options);
  ASSERT_FALSE(fill(*pipeline, y, 1, sizeof y, 1));
  EXPECT_EQ(driver->synchronize().kind, ErrorKind::Timeout);
  options.timeoutMs = 0;
  driver->setRunOptions(options);
  ASSERT_FALSE(fill(*pipeline, y, 1, sizeof y, 1));
  EXPECT_EQ(driver->synchronize([] { return true; }).kind, ErrorKind::Interrupted);
}

TEST_F(MetalDriver, ShowsTheAIR) {
  std::string air;
  ASSERT_FALSE(driver->air(*make("fill"), air));
  EXPECT_NE(air.find("air.kernel"), std::string::npos);
}

TEST(MetalLog, RecordsAreTakenInTheOrderOfTheProgram) {
  std::vector<LogRecord> memory(logBytes(4) / sizeof(LogRecord), LogRecord{7, 7, {7, 7, 7}, 7, 7, 7});
  initializeLog(memory.data(), 4);
  auto *header = reinterpret_cast<uint32_t *>(memory.data());
  EXPECT_EQ(header[0], 0u);
  EXPECT_EQ(header[1], 4u);
  header[0] = 6; // two of them found no room
  memory[1] = {2, 2, {0, 0, 0}, 0, 1, 0};
  memory[2] = {1, 1, {1, 0, 0}, 0, 2, 0};
  memory[3] = {}; // its lane was ended before
  memory[4] = {1, 1, {0, 0, 0}, 5, 3, 1};
  LogContents contents = takeRecords(memory.data());
  EXPECT_EQ(contents.lost, 2u);
  ASSERT_EQ(contents.records.size(), 3u);
  EXPECT_EQ(contents.records[0].bits(), uint64_t(1) << 32 | 3);
  EXPECT_EQ(contents.records[1].low, 1u);
  EXPECT_EQ(contents.records[2].low, 2u);
  EXPECT_TRUE(takeRecords(memory.data()).records.empty());
}

} // namespace
