// A library that CUDA loads into a program (CUDA_INJECTION64_PATH) and that prints, when the
// program ends, its kernels and copies by their share of the GPU's time: launches, microseconds
// each, and how long the GPU was busy between the first kernel and the last. scripts/gpu_profile.sh
// builds and uses it. The records are CUPTI's, in the order of their ends for a stream.
#include <cupti.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace {

struct Total {
  uint64_t count = 0, nanoseconds = 0;
};

struct Span {
  uint64_t start, end;
};

std::mutex mutex;
std::map<std::string, Total> totals;
std::vector<Span> spans;

void check(CUptiResult result, const char* what) {
  if (result == CUPTI_SUCCESS) return;
  const char* text = nullptr;
  cuptiGetResultString(result, &text);
  std::fprintf(stderr, "kernel_times: %s: %s\n", what, text == nullptr ? "unknown error" : text);
}

void CUPTIAPI give_buffer(uint8_t** buffer, size_t* size, size_t* most_records) {
  *size = size_t{8} << 20;
  *buffer = static_cast<uint8_t*>(std::aligned_alloc(8, *size));
  *most_records = 0;
}

void add(const std::string& name, uint64_t start, uint64_t end) {
  Total& total = totals[name];
  ++total.count;
  total.nanoseconds += end - start;
  spans.push_back({start, end});
}

void CUPTIAPI take_buffer(CUcontext, uint32_t, uint8_t* buffer, size_t, size_t valid) {
  const std::lock_guard lock(mutex);
  CUpti_Activity* record = nullptr;
  while (cuptiActivityGetNextRecord(buffer, valid, &record) == CUPTI_SUCCESS) {
    if (record->kind == CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL) {
      const auto* kernel = reinterpret_cast<CUpti_ActivityKernel9*>(record);
      add(kernel->name, kernel->start, kernel->end);
    } else if (record->kind == CUPTI_ACTIVITY_KIND_MEMCPY) {
      const auto* copy = reinterpret_cast<CUpti_ActivityMemcpy5*>(record);
      add("[copy " + std::to_string(copy->copyKind) + "]", copy->start, copy->end);
    } else if (record->kind == CUPTI_ACTIVITY_KIND_MEMSET) {
      const auto* fill = reinterpret_cast<CUpti_ActivityMemset4*>(record);
      add("[memset]", fill->start, fill->end);
    }
  }
  std::free(buffer);
}

/// Nanoseconds of [from, to) in which something ran.
uint64_t busy(uint64_t from, uint64_t to) {
  uint64_t sum = 0, reached = from;
  for (const Span& span : spans) {
    const uint64_t start = std::max(span.start, reached), end = std::min(span.end, to);
    if (end <= start) continue;
    sum += end - start;
    reached = end;
  }
  return sum;
}

void print_totals() {
  check(cuptiActivityFlushAll(1), "flush");
  const std::lock_guard lock(mutex);
  if (spans.empty()) return;
  std::sort(spans.begin(), spans.end(),
            [](const Span& a, const Span& b) { return a.start < b.start; });
  const char* path = std::getenv("KERNEL_TIMES");
  std::FILE* const out = path == nullptr ? stderr : std::fopen(path, "w");
  if (out == nullptr) return;
  uint64_t sum = 0;
  std::vector<std::pair<std::string, Total>> sorted(totals.begin(), totals.end());
  for (const auto& [name, total] : sorted) sum += total.nanoseconds;
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
    return a.second.nanoseconds > b.second.nanoseconds;
  });
  const uint64_t first = spans.front().start, last = spans.back().end;
  const uint64_t middle = first + (last - first) / 2;
  std::fprintf(
      out,
      "launches and copies: %zu in %.3f s; the GPU was busy %.1f %%, %.1f %% in the last half\n",
      spans.size(), 1e-9 * static_cast<double>(last - first),
      100.0 * static_cast<double>(busy(first, last)) / static_cast<double>(last - first),
      100.0 * static_cast<double>(busy(middle, last)) / static_cast<double>(last - middle));
  std::fprintf(out, " share   launches    us each  kernel\n");
  for (const auto& [name, total] : sorted)
    std::fprintf(out, "%5.1f %% %9llu %10.2f  %.160s\n",
                 100.0 * static_cast<double>(total.nanoseconds) / static_cast<double>(sum),
                 static_cast<unsigned long long>(total.count),
                 1e-3 * static_cast<double>(total.nanoseconds) / static_cast<double>(total.count),
                 name.c_str());
  if (out != stderr) std::fclose(out);
}

}  // namespace

/// CUDA calls it when the program first uses the GPU.
extern "C" int InitializeInjection() {
  check(cuptiActivityRegisterCallbacks(give_buffer, take_buffer), "callbacks");
  for (const CUpti_ActivityKind kind : {CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL,
                                        CUPTI_ACTIVITY_KIND_MEMCPY, CUPTI_ACTIVITY_KIND_MEMSET})
    check(cuptiActivityEnable(kind), "records");
  std::atexit(print_totals);
  return 1;
}
