// Modules register their parameters and buffers with named axes.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "scion/nn/axis.h"
#include "scion/nn/operators/weights.h"

namespace scion {

/// Initialisation of a parameter that is not selected; the scheme (xavier, he, default) decides the
/// numbers. A position table is a buffer that its module fills: a function of the index along its
/// axis, which must follow that axis's choice.
struct Init {
  enum class Kind { weight, bias, embedding, one, zero, position_table } kind = Kind::zero;
  int64_t fan_in = 0;  ///< bias: inputs of the weight it belongs to
};

namespace init {
inline constexpr Init weight{Init::Kind::weight};
inline constexpr Init embedding{Init::Kind::embedding};
inline constexpr Init one{Init::Kind::one};
inline constexpr Init zero{Init::Kind::zero};
inline constexpr Init position_table{Init::Kind::position_table};
inline Init bias(int64_t fan_in) { return {Init::Kind::bias, fan_in}; }
}  // namespace init

/// A parameter, or (when it is not trainable) a buffer: a tensor whose dimensions are known.
struct Parameter {
  std::string name;        ///< dotted, e.g. "encoder.layers.3.feed_forward1.linear1.weight"
  std::vector<Axis> axes;  ///< one a dimension
  Init init;
  bool trainable = true;
  at::Tensor tensor;  ///< shared with the module that registered it

  /// "ff(384), residual(96)"
  std::string axes_text(Axis::Names names = Axis::Names::last) const;
  /// Inputs of one output unit: all dimensions but the first.
  int64_t fan_in() const;
  /// Outputs of one input unit; of a stacked dimension (gates, queries | keys | values) one part
  /// counts.
  int64_t fan_out() const;
};

/// Layers that repeat: parameters and leaves under `prefix.0.` … `prefix.(count-1).`. A selection
/// maps each student layer to a teacher layer.
struct LayerStack {
  std::string prefix;  ///< e.g. "encoder.layers"
  int64_t count = 0;
};

/// All parameters of a model, in order of registration.
class Registry {
 public:
  /// On the device `meta` the tensors have shapes and no memory.
  explicit Registry(at::Device device = at::kCPU) : device_(device) {}

  const std::vector<Parameter>& all() const { return parameters_; }
  const std::vector<LayerStack>& stacks() const { return stacks_; }
  const Parameter* find(const std::string& name) const;
  /// Elements of all trainable parameters.
  int64_t parameter_count() const;
  /// Trainable tensors, in order.
  std::vector<at::Tensor> trainable() const;

  at::Tensor add(std::string name, std::vector<Axis> axes, Init init, bool trainable);
  void add_stack(LayerStack stack) { stacks_.push_back(std::move(stack)); }

 private:
  at::Device device_;
  std::vector<Parameter> parameters_;
  std::vector<LayerStack> stacks_;
};

/// A module's registry and the prefix of its parameters' names.
class Scope {
 public:
  explicit Scope(Registry& registry) : registry_(&registry) {}
  Scope operator/(const std::string& name) const;
  std::string path(const std::string& name) const;
  /// The scope of layer `index` of the stack `name`.
  Scope layer(const std::string& name, int64_t index) const;
  void declare_stack(const std::string& name, int64_t count) const;
  Registry& registry() const { return *registry_; }

  /// Registers `name`.weight, whose first axis is the output, and `name`.bias, which without
  /// `biases` is zero and not trained.
  Linear make_linear(const std::string& name, std::vector<Axis> axes, bool biases = true) const;

 private:
  Registry* registry_;
  std::string prefix_;
};

/// Base of all layers and models with parameters.
class Module {
 protected:
  explicit Module(Scope scope) : scope_(std::move(scope)) {}

  at::Tensor parameter(const std::string& name, std::vector<Axis> axes, Init init) {
    return scope_.registry().add(scope_.path(name), std::move(axes), init, true);
  }
  /// `name`.weight (output, input) and `name`.bias (output).
  Linear make_linear(const std::string& name, const Axis& output, const Axis& input,
                     bool biases = true) {
    return scope_.make_linear(name, {output, input}, biases);
  }
  /// `name`.weight (channels, 1, taps) and `name`.bias (channels).
  Convolution make_convolution(const std::string& name, const Axis& channels, const Axis& taps,
                               const ConvolutionReach& reach = {}, bool biases = true) {
    const Linear map = scope_.make_linear(name, {channels, Axis::fixed(1), taps}, biases);
    return {map.weight, map.bias, reach};
  }
  /// `name`.weight (output, input, kernel, kernel) and `name`.bias (output).
  ImageConvolution make_image_convolution(const std::string& name, const Axis& output,
                                          const Axis& input, int64_t kernel) {
    const Linear map =
        scope_.make_linear(name, {output, input, Axis::fixed(kernel), Axis::fixed(kernel)});
    return {map.weight, map.bias};
  }
  /// `name`.weight and `name`.bias, over one axis.
  LayerNorm make_layer_norm(const std::string& name, const Axis& axis) {
    const at::Tensor weight = parameter(name + ".weight", {axis}, init::one);
    return {weight, parameter(name + ".bias", {axis}, init::zero)};
  }
  /// A tensor that is not trained but has axes: running statistics, tables.
  at::Tensor buffer(const std::string& name, std::vector<Axis> axes, Init init) {
    return scope_.registry().add(scope_.path(name), std::move(axes), init, false);
  }
  /// A leaf that belongs to this module.
  Axis leaf(const std::string& name, int64_t size, Axis::Role role = Axis::Role::plain) const {
    return Axis::leaf(scope_.path(name), size, role);
  }
  Axis taps(const std::string& name, int64_t size, Axis::Anchor anchor) const {
    return Axis::taps(scope_.path(name), size, anchor);
  }
  Scope inside(const std::string& name) const { return scope_ / name; }
  std::string place() const { return scope_.path(""); }

 private:
  Scope scope_;
};

}  // namespace scion
