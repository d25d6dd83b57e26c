#include "scion/calibration/activation_scores.h"

#include "scion/calibration/model_parts.h"

namespace scion {
namespace {

// A weight of a linear layer, and the first of the layer's inputs that it multiplies.
struct Reader {
  const Parameter* weight;
  int64_t first_input = 0;
};

// Sums over rows of the squares of a layer's inputs (I), or in a depthwise layer, of the inputs of
// every channel (O), and of its outputs (O).
struct LayerSquares {
  std::vector<Reader> readers;
  bool depthwise = false;
  at::Tensor inputs, outputs;
  int64_t rows = 0;
};

void accumulate(at::Tensor& sum, const at::Tensor& values) {
  if (values.defined()) sum = sum.defined() ? sum + values : values;
}

using ImplToParameter = std::unordered_map<const void*, const Parameter*>;

class SquaresObserver : public InputObserver {
 public:
  explicit SquaresObserver(const ImplToParameter& parameters) : parameters_(parameters) {}

  void linear(const LinearMap& map, const at::Tensor& x) override {
    if (map.weights[0].dim() < 2) return;  // the inputs of a scale are the outputs of another layer
    const Parameter& parameter = *parameters_.at(map.weights[0].unsafeGetTensorImpl());
    const auto [place, is_new] = squares.try_emplace(parameter.name);
    LayerSquares& sum = place->second;
    if (is_new) describe(map, sum);
    const auto column_squares = [](const at::Tensor& rows) {
      return rows.to(at::kDouble).square().sum(0);
    };
    if (map.depthwise) {
      const at::Tensor rows = x.flatten(0, -3);
      accumulate(sum.inputs, column_squares(rows).mean(1));
      sum.rows += rows.size(0);
      return;
    }
    const at::Tensor rows = x.reshape({-1, x.size(-1)});
    accumulate(sum.inputs, column_squares(rows));
    if (map.weights.size() == 1)
      accumulate(sum.outputs,
                 column_squares(at::linear(rows, map.weights[0].flatten(1), map.bias)));
    sum.rows += rows.size(0);
  }
  void batch_norm(const at::Tensor&, const at::Tensor&, const at::Tensor&) override {}

  std::map<std::string, LayerSquares> squares;  ///< by the name of a layer's first weight

 private:
  void describe(const LinearMap& map, LayerSquares& described) const {
    described.depthwise = map.depthwise;
    int64_t first = 0;
    for (const at::Tensor& weight : map.weights) {
      described.readers.push_back({parameters_.at(weight.unsafeGetTensorImpl()), first});
      first += weight.numel() / weight.size(0);
    }
  }

  const ImplToParameter& parameters_;
};

// Means over several sources of scores, each source divided by its mean.
class ScoreMeans {
 public:
  // Adds the values of a dimension (axis.size()) to the scores of the leaves in it.
  void add(const Axis& axis, const at::Tensor& values) {
    switch (axis.form()) {
      case Axis::Form::leaf:
        add_leaf(axis, values);
        break;
      case Axis::Form::product: {
        const at::Tensor table = values.view({axis.parts()[0].size(), axis.parts()[1].size()});
        add(axis.parts()[0], table.mean(1));
        add(axis.parts()[1], table.mean(0));
        break;
      }
      case Axis::Form::concat: {
        int64_t first = 0;
        for (const Axis& part : axis.parts()) {
          add(part, values.narrow(0, first, part.size()));
          first += part.size();
        }
        break;
      }
      case Axis::Form::fixed:
      case Axis::Form::taps:
      case Axis::Form::labels:
        break;
    }
  }
  bool contains(const std::string& leaf) const { return sums_.contains(leaf); }
  LeafScores scores() const {
    LeafScores scores;
    for (const auto& [leaf, sum] : sums_) {
      const at::Tensor mean = (sum.values / static_cast<double>(sum.sources)).contiguous();
      const auto* first = mean.const_data_ptr<double>();
      scores[leaf].assign(first, first + mean.numel());
    }
    return scores;
  }

 private:
  struct Sum {
    at::Tensor values;
    int64_t sources = 0;
  };
  void add_leaf(const Axis& leaf, const at::Tensor& values) {
    const double mean = values.mean().item<double>();
    const at::Tensor share = mean > 0 ? values / mean : at::zeros_like(values);
    Sum& sum = sums_[leaf.name()];
    sum.values = sum.values.defined() ? sum.values + share : share;
    ++sum.sources;
  }
  std::map<std::string, Sum> sums_;
};

// All dimensions but the first as one.
Axis input_axis(const std::vector<Axis>& axes) {
  Axis axis = axes[1];
  for (size_t d = 2; d < axes.size(); ++d) axis = Axis::product(axis, axes[d]);
  return axis;
}

// The sum over lanes, in their order.
std::map<std::string, LayerSquares> added_up(std::vector<SquaresObserver>& lanes) {
  std::map<std::string, LayerSquares> total = std::move(lanes[0].squares);
  for (size_t lane = 1; lane < lanes.size(); ++lane)
    for (const auto& [name, map] : lanes[lane].squares) {
      const auto [place, is_new] = total.try_emplace(name, map);
      if (is_new) continue;
      accumulate(place->second.inputs, map.inputs);
      accumulate(place->second.outputs, map.outputs);
      place->second.rows += map.rows;
    }
  return total;
}

LeafScores to_scores(const std::map<std::string, LayerSquares>& squares, Grain grain) {
  ScoreMeans read, written;
  for (const auto& [name, map] : squares) {
    const at::Tensor inputs = map.inputs / static_cast<double>(map.rows);
    for (const Reader& reader : map.readers) {
      const std::vector<Axis> axes = plan_axes(*reader.weight, grain);
      const Axis axis = map.depthwise ? axes[0] : input_axis(axes);
      read.add(axis, inputs.narrow(0, map.depthwise ? 0 : reader.first_input, axis.size()));
    }
    if (map.outputs.defined())
      written.add(plan_axes(*map.readers[0].weight, grain)[0],
                  map.outputs / static_cast<double>(map.rows));
  }
  LeafScores scores = read.scores();
  scores.merge(written.scores());  // for leaves that no layer reads
  std::erase_if(scores, [](const auto& leaf) { return leaf.first.ends_with(".frequencies"); });
  return scores;
}

}  // namespace

LeafScores activation_scores(const Transducer& model, const CalibrationAudio& audio, Grain grain) {
  ImplToParameter parameters;
  for (const Parameter& parameter : model.registry().all())
    parameters[parameter.tensor.unsafeGetTensorImpl()] = &parameter;
  std::vector<SquaresObserver> lanes(std::min(calibration_lanes, audio.utterances.size()),
                                     SquaresObserver(parameters));
  for_each_utterance_in_lanes(audio.utterances.size(), [&](size_t lane, size_t i) {
    CalibrationUtterance utterance = audio.utterances[i];
    PartOutputs outputs;
    for (const ModelPart part : model_parts) {
      if (part == ModelPart::heads) choose_nodes(model, outputs, utterance);
      run_part(model, utterance, part, outputs, &lanes[lane]);
    }
  });
  return to_scores(added_up(lanes), grain);
}

}  // namespace scion
