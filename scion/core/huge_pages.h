// Huge pages for large tensors.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace scion {

/// Asks the kernel to use huge pages for the memory of a new tensor: the first touch of a large one
/// in small pages takes longer than the arithmetic on it. Best effort: results do not depend on it.
inline void ask_for_huge_pages(const at::Tensor& tensor) {
#if defined(__linux__)
  constexpr uintptr_t page = uintptr_t{2} << 20;
  const auto begin = reinterpret_cast<uintptr_t>(tensor.data_ptr());
  const uintptr_t first = (begin + page - 1) / page * page;
  const uintptr_t end = (begin + tensor.nbytes()) / page * page;
  if (first < end) madvise(reinterpret_cast<void*>(first), end - first, MADV_HUGEPAGE);
#else
  (void)tensor;
#endif
}

}  // namespace scion
