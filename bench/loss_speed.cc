// One route to the transducer loss on one case, for bench/loss_speed.py:
//   loss_speed CASE.safetensors ROUTE DEVICE THREADS  runs one turn for every line of its input
//   loss_speed CASE.safetensors nodes DEVICE THREADS  counts nodes, and those that are not
//   negligible loss_speed peaks DEVICE THREADS                   measures the device's products and
//   memory
// Answers are lines of JSON; DEVICE is cpu or cuda.
#include <ATen/DeviceAccelerator.h>
#include <jemalloc/jemalloc.h>
#include <time.h>

#include <chrono>
#include <fstream>
#include <iostream>
#include <numeric>

#include "scion/core/files/safetensors.h"
#include "scion/core/threads.h"
#include "scion/loss/alignment.h"
#include "scion/loss/cpu/kernels.h"
#include "scion/loss/pruned_loss.h"
#include "scion/loss/tdt_loss.h"
#include "scion/loss/transducer_loss.h"

namespace {

using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

/// Seconds that a processor has spent on the process, or on one of its threads.
double processor_seconds(clockid_t which) {
  timespec now{};
  clock_gettime(which, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

/// A line of /proc/self/status, in MB.
double process_memory(const std::string& name) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(name)) return std::stod(line.substr(name.size())) / 1024;
  return 0;
}

void wait_for(const at::Device& device) {
  if (!device.is_cpu()) at::accelerator::synchronizeDevice(device.index());
}

/// Peak memory beyond that at construction, MB: of the process, or of tensors on the device.
class MemoryPeak {
 public:
  explicit MemoryPeak(const at::Device& device) : device_(device) {
    if (device.is_cpu())
      std::ofstream("/proc/self/clear_refs") << "5";  // resets VmHWM
    else
      at::accelerator::resetPeakStats(device.index());
    before_ = now(false);
  }
  double megabytes() const { return now(true) - before_; }

 private:
  double now(bool peak) const {
    if (device_.is_cpu()) return process_memory(peak ? "VmHWM:" : "VmRSS:");
    const auto bytes = at::accelerator::getDeviceStats(device_.index()).allocated_bytes[0];
    return static_cast<double>(peak ? bytes.peak : bytes.current) / (1 << 20);
  }
  at::Device device_;
  double before_ = 0;
};

/// Memory that the allocator keeps would hide the memory that a turn needs.
void give_back_memory() {
  mallctl(fmt::format("arena.{}.purge", MALLCTL_ARENAS_ALL).c_str(), nullptr, nullptr, nullptr, 0);
}

// ---- the routes ---------------------------------------------------------------------------------

/// Inputs of the joiner and of the simple joiner (bench/loss_speed.py), on a device.
class Case {
 public:
  Case(const std::string& path, const at::Device& device)
      : file_(scion::read_safetensors(path)), device_(device) {
    for (auto& [name, tensor] : file_.tensors)
      if (tensor.is_floating_point()) tensor = tensor.to(device);
  }
  const at::Tensor& operator[](const char* name) const { return file_.at(name); }
  at::Tensor leaf(const char* name) const { return file_.at(name).clone().requires_grad_(); }
  scion::LatticeLabels labels() const {
    return {file_.at("tokens"), file_.at("frame_lengths"), file_.at("token_lengths")};
  }
  const at::Device& device() const { return device_; }

 private:
  scion::SafeTensors file_;
  at::Device device_;
};

at::Tensor joined(const at::Tensor& encoder, const at::Tensor& predictor, const at::Tensor& weight,
                  const at::Tensor& bias) {
  return at::linear(at::tanh(encoder.unsqueeze(2) + predictor.unsqueeze(1)), weight, bias);
}

/// A route's leaves, and the function of their losses (B).
struct Route {
  std::vector<at::Tensor> leaves;
  std::function<at::Tensor()> losses;
};

Route from_logits(const Case& c) {
  const at::NoGradGuard no_grad;
  at::Tensor logits = joined(c["encoder"], c["predictor"], c["weight"], c["bias"]);
  logits.requires_grad_();
  return {{logits}, [c, logits] { return scion::transducer_loss(logits, c.labels()); }};
}

std::vector<at::Tensor> joiner_leaves(const Case& c) {
  return {c.leaf("encoder"), c.leaf("predictor"), c.leaf("weight"), c.leaf("bias")};
}

/// As scion trains: a GPU takes larger tiles (scion/training/step.cc).
scion::TransducerLossOptions joiner_options(const Case& c, bool bf16) {
  const int64_t megabytes = c.device().is_cpu() ? 64 : 256;
  return {.bf16 = bf16, .workspace_bytes = megabytes << 20};
}

Route fused(const Case& c, bool bf16) {
  const std::vector<at::Tensor> x = joiner_leaves(c);
  return {x, [c, x, bf16] {
            return scion::joiner_transducer_loss({x[0], x[1], x[2], x[3]}, c.labels(),
                                                 joiner_options(c, bf16));
          }};
}

scion::TdtOptions tdt_durations(const at::Tensor& duration_bias) {
  std::vector<int64_t> durations(static_cast<size_t>(duration_bias.size(0)));
  std::iota(durations.begin(), durations.end(), 0);
  return {durations};
}

/// The token-and-duration loss, with durations of 0 frames on.
Route tdt(const Case& c, bool bf16) {
  std::vector<at::Tensor> x = joiner_leaves(c);
  x.push_back(c.leaf("duration_weight"));
  x.push_back(c.leaf("duration_bias"));
  const scion::TdtOptions options = tdt_durations(x[5]);
  return {x, [c, x, options, bf16] {
            return scion::joiner_tdt_loss(
                {x[0], x[1], at::cat({x[2], x[4]}), at::cat({x[3], x[5]})}, c.labels(), options,
                joiner_options(c, bf16));
          }};
}

/// Both passes, five states per frame, with the simple joiner's two matrices.
Route pruned(const Case& c, bool bf16) {
  std::vector<at::Tensor> x = joiner_leaves(c);
  x.push_back(c.leaf("simple_encoder"));
  x.push_back(c.leaf("simple_predictor"));
  const scion::LatticeLabels labels = c.labels();
  const scion::TransducerLossOptions options = joiner_options(c, bf16);
  return {x, [x, labels, options] {
            const at::Tensor am = at::linear(x[0], x[4]), lm = at::linear(x[1], x[5]);
            const scion::SimpleLoss simple = scion::simple_transducer_loss(am, lm, labels, {});
            const at::Tensor ranges =
                scion::ranges_of_flows(simple.flows, labels, scion::Topology::regular, 5);
            return scion::pruned_joiner_loss({x[0], x[1], x[2], x[3]}, ranges, labels, options) +
                   simple.losses;
          }};
}

Route make_route(const std::string& name, const Case& c) {
  if (name == "logits") return from_logits(c);
  if (name == "fused fp32") return fused(c, false);
  if (name == "fused bf16") return fused(c, true);
  if (name == "tdt fp32") return tdt(c, false);
  if (name == "tdt bf16") return tdt(c, true);
  if (name == "pruned fp32") return pruned(c, false);
  if (name == "pruned bf16") return pruned(c, true);
  fmt::print(stderr, "error: no route '{}'\n", name);
  exit(2);
}

nlohmann::json numbers(const at::Tensor& tensor) {
  const at::Tensor x = tensor.detach().to(at::kCPU, at::kDouble).contiguous();
  return std::vector<double>(x.data_ptr<double>(), x.data_ptr<double>() + x.numel());
}

/// Loss and gradients, repeated for at least a tenth of a second. The first repetition measures
/// memory and is not timed: during the turns of other processes the allocator returned memory that
/// a training step would have ready. After a process's first turn it is timed if it is long.
nlohmann::json turn(Route& route, const at::Device& device, bool first_turn) {
  nlohmann::json answer;
  double milliseconds = 0, processor = 0;
  int count = 0;
  if (first_turn) give_back_memory();
  while (milliseconds < 100) {
    const MemoryPeak memory(device);
    const double processor_start = processor_seconds(CLOCK_PROCESS_CPUTIME_ID);
    const Clock::time_point start = Clock::now();
    const at::Tensor losses = route.losses();
    losses.sum().backward();
    wait_for(device);
    const double spent = milliseconds_since(start);
    const bool first = answer.is_null();
    if (!first || (!first_turn && spent > 2000)) {
      milliseconds += spent;
      processor += 1e3 * (processor_seconds(CLOCK_PROCESS_CPUTIME_ID) - processor_start);
      ++count;
    }
    if (first) {
      answer = {{"peak_mb", memory.megabytes()},
                {"losses", numbers(losses)},
                {"gradient", route.leaves[0].grad().norm().item<double>()}};
    }
    for (at::Tensor& leaf : route.leaves) leaf.mutable_grad().reset();
  }
  answer["ms"] = milliseconds / count;
  answer["processor_ms"] = processor / count;
  return answer;
}

/// The number of nodes, and of those that alignments pass with a probability above a bound.
nlohmann::json count_nodes(const Case& c) {
  const scion::ArcOccupation arcs =
      scion::arc_occupation({c["encoder"], c["predictor"], c["weight"], c["bias"]}, c.labels());
  const at::Tensor flow = arcs.blank + arcs.label;
  const auto above = [&](double bound) { return flow.ge(bound).sum().item<int64_t>(); };
  const at::Tensor nodes = c["frame_lengths"] * (c["token_lengths"] + 1);
  return {
      {"nodes", nodes.sum().item<int64_t>()}, {"used", above(1e-10)}, {"used_bf16", above(1e-6)}};
}

// ---- peaks of the machine -----------------------------------------------------------------------

/// Operations, or bytes, per second of all threads together: the best of several tries. `f` does
/// `amount` of them in one thread. Measured in processor time, which other programs disturb less.
template <class F>
double best_rate(double amount, const F& f) {
  double best = 0;
  for (int i = 0; i < 9; ++i) {
    std::vector<double> rates(at::get_num_threads());
    at::parallel_for(0, at::get_num_threads(), 1, [&](int64_t begin, int64_t end) {
      for (int64_t thread = begin; thread < end; ++thread) {
        const double start = processor_seconds(CLOCK_THREAD_CPUTIME_ID);
        f();
        rates[thread] = amount / (processor_seconds(CLOCK_THREAD_CPUTIME_ID) - start);
      }
    });
    best = std::max(best, std::accumulate(rates.begin(), rates.end(), 0.0));
  }
  return best;
}

/// A product by scion's kernel of factors in the first-level cache; a Number holds `width` elements
/// of the depth.
template <class Number, class Multiply>
double kernel_rate(const Multiply& multiply, int64_t width) {
  constexpr int64_t kRows = 48, kDepth = 64, kTimes = 2000;
  const int64_t panel = scion::loss_kernels().panel;
  const auto operations = static_cast<double>(2 * kRows * kDepth * width * panel * kTimes);
  return best_rate(operations, [&] {
    const std::vector<Number> a(kRows * kDepth), b(kDepth * panel);
    std::vector<float> c(kRows * panel);
    for (int64_t i = 0; i < kTimes; ++i)
      multiply(kRows, panel, kDepth, a.data(), kDepth, 1, b.data(), panel, 0, scion::MatrixStart{},
               c.data(), panel);
  });
}

/// libtorch's product: one in each thread; on a device, one at a time.
double library_rate(at::ScalarType type, const at::Device& device) {
  const int64_t size = device.is_cpu() ? 1024 : 8192;
  const at::Tensor a = at::ones({size, size}).to(device, type), b = at::ones_like(a);
  const auto operations = 2.0 * std::pow(static_cast<double>(size), 3);
  if (device.is_cpu()) return best_rate(operations, [&] { at::mm(a, b); });
  double best = 0;
  for (int i = 0; i < 9; ++i) {
    wait_for(device);
    const Clock::time_point start = Clock::now();
    at::mm(a, b);
    wait_for(device);
    best = std::max(best, 1e3 * operations / milliseconds_since(start));
  }
  return best;
}

/// Bytes that a copy between large tensors reads and writes together.
double copy_rate(const at::Device& device) {
  const at::Tensor from = at::ones({48 << 20}).to(device), to = at::zeros_like(from);
  double best = 0;
  for (int i = 0; i < 9; ++i) {
    wait_for(device);
    const Clock::time_point start = Clock::now();
    to.copy_(from);
    wait_for(device);
    best = std::max(best, 2e3 * static_cast<double>(from.nbytes()) / milliseconds_since(start));
  }
  return best;
}

nlohmann::json peaks(const at::Device& device) {
  double fp32 = library_rate(at::kFloat, device), bf16 = library_rate(at::kBFloat16, device);
  if (device.is_cpu()) {
    fp32 = std::max(fp32, kernel_rate<float>(scion::loss_kernels().multiply, 1));
    if (const scion::PairKernels* pairs = scion::pair_kernels())
      bf16 = std::max(bf16, kernel_rate<uint32_t>(pairs->multiply, 2));
  }
  return {{"fp32", fp32},
          {"bf16", bf16},
          {"copy", copy_rate(device)},
          {"name", device.is_cpu() ? scion::processor().name : device.str()}};
}

at::Device device_of(const std::string& name) {
  return name == "cpu" ? at::Device(at::kCPU) : at::Device(at::kCUDA, 0);
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.size() == 3 && arguments[0] == "peaks") {
    scion::set_thread_count(std::stoi(arguments[2]));
    std::cout << peaks(device_of(arguments[1])).dump() << std::endl;
    return 0;
  }
  if (arguments.size() != 4) {
    fmt::print(stderr, "error: {} arguments\nhint: bench/loss_speed.py runs this program\n",
               arguments.size());
    return 2;
  }
  scion::set_thread_count(std::stoi(arguments[3]));
  const Case c(arguments[0], device_of(arguments[2]));
  if (arguments[1] == "nodes") {
    std::cout << count_nodes(c).dump() << std::endl;
    return 0;
  }
  Route route = make_route(arguments[1], c);
  std::cout << "ready" << std::endl;
  bool first = true;
  for (std::string line; std::getline(std::cin, line); first = false)
    std::cout << turn(route, c.device(), first).dump() << std::endl;
  return 0;
}
