// A device whose kernels run on the CPU, one thread of one block after another: each runs up to its
// next barrier or exchange. This tests the bodies that nvcc compiles for a GPU without one,
// barriers and exchanges included.
#pragma once

#include <ATen/ATen.h>
#include <math.h>
#include <ucontext.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif

#include "scion/loss/device/dispatch.h"

namespace scion::testing {

/// The order in which threads take turns. If results depend on it, a barrier is missing.
enum class Turns { ascending, descending };

/// Another stack to run on. Switches by jumps instead of swapcontext(), which makes a system call
/// for the signal mask each time.
class Fiber {
 public:
  /// f(argument) starts with the first resume() and must not return.
  Fiber(void (*f)(void*), void* argument) : stack_(new char[kStack]) {
    getcontext(&start_);
    start_.uc_stack.ss_sp = stack_.get();
    start_.uc_stack.ss_size = kStack;
    const auto low_and_high = [](const void* p) {
      const auto bits = reinterpret_cast<uintptr_t>(p);
      return std::pair(unsigned(bits), unsigned(bits >> 32));
    };
    const auto [f1, f2] = low_and_high(reinterpret_cast<void*>(f));
    const auto [a1, a2] = low_and_high(argument);
    makecontext(&start_, reinterpret_cast<void (*)()>(&Fiber::enter), 4, f1, f2, a1, a2);
  }

  __attribute__((noinline)) void resume() {
    switch_to(&outer_fake_stack_, stack_.get(), kStack);
    if (__builtin_setjmp(outer_) == 0) {
      if (!std::exchange(started_, true)) setcontext(&start_);
      jump(inner_);
    }
    switched(outer_fake_stack_, nullptr, nullptr);
  }
  /// From inside: returns to resume(); the next resume() continues here.
  __attribute__((noinline)) void suspend() {
    switch_to(&inner_fake_stack_, outer_stack(), outer_stack_size());
    if (__builtin_setjmp(inner_) == 0) jump(outer_);
    switched(inner_fake_stack_, nullptr, nullptr);
  }

 private:
  static constexpr size_t kStack = size_t{64} << 10;

  __attribute__((noinline, noreturn)) static void jump(void** where) {
    __builtin_longjmp(where, 1);
  }
  static void enter(unsigned f1, unsigned f2, unsigned a1, unsigned a2) {
    switched(nullptr, &outer_stack(), &outer_stack_size());
    const auto pointer = [](unsigned low, unsigned high) {
      return reinterpret_cast<void*>(uintptr_t(low) | uintptr_t(high) << 32);
    };
    reinterpret_cast<void (*)(void*)>(pointer(f1, f2))(pointer(a1, a2));
  }

  // The address sanitizer has to be told which stack is in use.
  static const void*& outer_stack() {
    static const void* stack = nullptr;
    return stack;
  }
  static size_t& outer_stack_size() {
    static size_t size = 0;
    return size;
  }
#if defined(__SANITIZE_ADDRESS__)
  static void switch_to(void** fake_stack, const void* stack, size_t size) {
    __sanitizer_start_switch_fiber(fake_stack, stack, size);
  }
  static void switched(void* fake_stack, const void** from, size_t* size) {
    __sanitizer_finish_switch_fiber(fake_stack, from, size);
  }
#else
  static void switch_to(void**, const void*, size_t) {}
  static void switched(void*, const void**, size_t*) {}
#endif

  std::unique_ptr<char[]> stack_;
  ucontext_t start_;
  bool started_ = false;
  void *outer_[5], *inner_[5];
  void *outer_fake_stack_ = nullptr, *inner_fake_stack_ = nullptr;
};

/// Runs the threads of one block after another.
class HostGrid {
 public:
  HostGrid(const Launch& launch, Turns turns, std::function<void(const HostGrid&)> body)
      : launch_(launch),
        turns_(turns),
        body_(std::move(body)),
        shared_(size_t(launch.shared_bytes + 7) / 8) {
    for (int i = 0; i < launch.threads; ++i)
      threads_.push_back({std::make_unique<Fiber>(run_thread, this)});
  }

  void run() {
    for (block_ = 0; block_ < launch_.blocks; ++block_) {
      std::fill(shared_.begin(), shared_.end(), std::nan(""));
      for (Thread& thread : threads_) thread.waits_for = kNothing;
      while (take_turns()) release();
    }
  }

  // The thread interface of kernels.inc.
  int64_t block() const { return block_; }
  int index() const { return current_; }
  int count() const { return launch_.threads; }
  void* shared() const { return shared_.data(); }
  void barrier() const { wait(kWholeBlock); }
  void group_barrier(int group) const { wait(group); }
  float exchange(float x, int other, int group) const {
    Thread& own = threads_[size_t(current_)];
    const int parity = own.exchanges++ % 2;
    own.sent[parity] = x;
    wait(group);
    return threads_[size_t(current_ ^ other)].sent[parity];
  }

 private:
  static constexpr int kNothing = -1, kDone = -2, kWholeBlock = 0;  // otherwise: a group's size

  struct Thread {
    std::unique_ptr<Fiber> fiber;
    int waits_for = kNothing;
    int exchanges = 0;
    float sent[2] = {0, 0};
  };

  /// The main function of a thread: the body once for every block.
  [[noreturn]] static void run_thread(void* self) {
    const auto& grid = *static_cast<const HostGrid*>(self);
    for (;;) {
      grid.body_(grid);
      grid.wait(kDone);
    }
  }

  /// One turn for each thread that can continue; true if any is unfinished.
  bool take_turns() {
    bool left = false;
    const int count = launch_.threads;
    for (int i = 0; i < count; ++i) {
      current_ = turns_ == Turns::ascending ? i : count - 1 - i;
      const Thread& thread = threads_[size_t(current_)];
      if (thread.waits_for == kNothing) thread.fiber->resume();
      left = left || thread.waits_for != kDone;
    }
    return left;
  }

  /// Releases the threads whose whole group has arrived.
  void release() {
    bool any = release_group(0, launch_.threads, kWholeBlock);
    for (int first = 0; first < launch_.threads; ++first) {
      const int group = threads_[size_t(first)].waits_for;
      if (group > 0 && first % group == 0) any = release_group(first, group, group) || any;
    }
    if (!any) throw std::logic_error("threads of a group wait in different places");
  }
  bool release_group(int first, int count, int waits_for) {
    const auto begin = threads_.begin() + first, end = begin + count;
    if (!std::all_of(begin, end, [&](const Thread& t) { return t.waits_for == waits_for; }))
      return false;
    std::for_each(begin, end, [](Thread& t) { t.waits_for = kNothing; });
    return true;
  }

  void wait(int group) const {
    Thread& thread = threads_[size_t(current_)];
    thread.waits_for = group;
    thread.fiber->suspend();
  }

  Launch launch_;
  Turns turns_;
  std::function<void(const HostGrid&)> body_;
  mutable std::vector<double> shared_;
  mutable std::vector<Thread> threads_;
  int64_t block_ = 0;
  int current_ = 0;
};

namespace bodies {
#include "scion/loss/device/kernels.inc"
}  // namespace bodies

template <Turns turns>
struct HostLauncher {
  template <class Body>
  static void run(const Launch& launch, const Body& body, void* /*stream*/) {
    if (launch.blocks == 0) return;
    HostGrid(launch, turns, [&](const HostGrid& thread) { body(thread); }).run();
  }
};

/// out = a · b. Each number of `out` is one sum in double in the order of the depth: libtorch's
/// product divides long sums among threads, so that its bytes depend on their number.
inline void multiply_in_order(const at::Tensor& a, const at::Tensor& b, at::Tensor& out) {
  const at::Tensor left = a.to(at::kFloat), right = b.to(at::kFloat);
  const auto x = left.accessor<float, 2>(), y = right.accessor<float, 2>();
  auto result = out.accessor<float, 2>();
  std::vector<double> sums(static_cast<size_t>(right.size(1)));
  for (int64_t i = 0; i < left.size(0); ++i) {
    std::fill(sums.begin(), sums.end(), 0.0);
    for (int64_t k = 0; k < left.size(1); ++k) {
      const double factor = x[i][k];
      for (size_t j = 0; j < sums.size(); ++j) sums[j] += factor * y[k][static_cast<int64_t>(j)];
    }
    for (size_t j = 0; j < sums.size(); ++j)
      result[i][static_cast<int64_t>(j)] = static_cast<float>(sums[j]);
  }
}

inline const LossDevice& host_device(Turns turns = Turns::ascending) {
  const auto with = [](const DeviceKernels& kernels) {
    return LossDevice{kernels, [] { return static_cast<void*>(nullptr); }, multiply_in_order};
  };
  static const LossDevice ascending =
      with(bodies::Kernels<HostLauncher<Turns::ascending>>::table());
  static const LossDevice descending =
      with(bodies::Kernels<HostLauncher<Turns::descending>>::table());
  return turns == Turns::ascending ? ascending : descending;
}

}  // namespace scion::testing
