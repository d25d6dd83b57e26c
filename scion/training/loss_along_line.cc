#include "scion/training/loss_along_line.h"

#include "scion/training/step.h"

namespace scion {
namespace {

// Batches of utterances evenly spaced in the data, together about `seconds`.
std::vector<Batch> spaced_batches(const Dataset& data, double batch_seconds, double seconds) {
  const size_t step =
      std::max<size_t>(1, static_cast<size_t>(data.total_seconds() / std::max(seconds, 1.0)));
  std::vector<Batch> batches;
  std::vector<int64_t> indices;
  double length = 0;
  const double speed =
      *std::min_element(data.speeds().begin(), data.speeds().end(),
                        [](double a, double b) { return std::abs(a - 1) < std::abs(b - 1); });
  const auto flush = [&] {
    if (!indices.empty()) batches.push_back(read_batch(data, indices, speed));
    indices.clear();
    length = 0;
  };
  for (size_t i = 0; i < data.size(); i += step) {
    const double duration = data.seconds(i);
    if (length + duration > batch_seconds) flush();
    indices.push_back(static_cast<int64_t>(i));
    length += duration;
  }
  flush();
  return batches;
}

double mean_loss(const Transducer& model, const std::vector<Batch>& batches,
                 const TrainConfig& config, bool bf16) {
  double sum = 0, count = 0;
  for (const Batch& batch : batches) {
    const double utterances = static_cast<double>(batch.ids.size());
    sum += utterances * batch_loss(model, batch, config, ForwardContext::for_training(0, 0, bf16));
    count += utterances;
  }
  return sum / count;
}

}  // namespace

std::vector<LinePoint> loss_along_line(const SafeTensors& start, const Transducer& end,
                                       const Dataset& data, const RunConfig& config, bool bf16,
                                       int64_t points, double seconds) {
  Transducer model(config.model.without_dropout(), end.vocabulary());
  model.to(end.device());
  const std::vector<Batch> batches = spaced_batches(data, config.loader.batch_seconds, seconds);
  std::vector<LinePoint> line;
  for (int64_t i = 0; i < points; ++i) {
    const double share = static_cast<double>(i) / static_cast<double>(points - 1);
    {
      const at::NoGradGuard no_grad;
      for (const Parameter& parameter : model.registry().all()) {
        const at::Tensor& last = end.registry().find(parameter.name)->tensor;
        parameter.tensor.copy_(
            parameter.trainable ? at::lerp(start.at(parameter.name).to(last.device()), last, share)
                                : last);
      }
    }
    line.push_back({share, mean_loss(model, batches, config.train, bf16)});
  }
  return line;
}

}  // namespace scion
