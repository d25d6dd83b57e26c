#include "scion/core/threads.h"

#include <ATen/Parallel.h>
#include <omp.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <thread>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

// Exported by a libtorch that has MKL inside; null otherwise.
extern "C" int MKL_Set_Num_Threads_Local(int count)  // NOLINT(readability-identifier-naming)
    __attribute__((weak));

namespace scion {
namespace {

#if defined(__x86_64__)
// The brand string is in three cpuid leaves, 16 bytes each.
std::string brand() {
  std::array<unsigned, 12> words{};
  for (unsigned leaf = 0; leaf < 3; ++leaf) {
    unsigned* const w = words.data() + size_t{4} * leaf;
    if (__get_cpuid(0x80000002U + leaf, w, w + 1, w + 2, w + 3) == 0) return "x86-64";
  }
  std::array<char, sizeof(words) + 1> text{};
  std::memcpy(text.data(), words.data(), sizeof(words));
  const std::string name(text.data());
  const size_t begin = name.find_first_not_of(' ');
  return begin == std::string::npos ? "x86-64"
                                    : name.substr(begin, name.find_last_not_of(' ') - begin + 1);
}

Processor find_processor() {
  Processor found;
  found.name = brand();
  found.avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  found.avx512 = found.avx2 && __builtin_cpu_supports("avx512f") &&
                 __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
                 __builtin_cpu_supports("avx512dq");
  found.avx512_bf16 = found.avx512 && __builtin_cpu_supports("avx512bf16");
  return found;
}
#else
Processor find_processor() { return {.name = "not x86-64"}; }
#endif

// That this process may use.
int processors() { return std::max(1, static_cast<int>(std::thread::hardware_concurrency())); }

}  // namespace

void set_thread_count(int count) { at::set_num_threads(count > 0 ? count : processors()); }

int thread_count() { return at::get_num_threads(); }

int useful_threads(int wanted) { return std::min(wanted, processors()); }

void use_threads(int64_t wanted) {
  if (wanted > 0) set_thread_count(useful_threads(static_cast<int>(wanted)));
}

void use_one_thread_here() {
  // at::set_num_threads would also change what threads born later start with. OpenMP's and MKL's
  // own numbers belong to the calling thread. Start values are set at a thread's first use, once
  // for libtorch and once for this program's copy of the inline function: do that before.
  at::get_num_threads();
  at::internal::lazy_init_num_threads();
  omp_set_num_threads(1);
  if (MKL_Set_Num_Threads_Local != nullptr) MKL_Set_Num_Threads_Local(1);
}

const Processor& processor() {
  static const Processor found = find_processor();
  return found;
}

}  // namespace scion
