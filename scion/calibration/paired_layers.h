// Linear layers of a selected student, each paired with the teacher's layer it was taken from.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "scion/calibration/calibration_config.h"
#include "scion/calibration/compensation.h"
#include "scion/calibration/model_parts.h"
#include "scion/nn/operators/observer.h"
#include "scion/selection/plan.h"

namespace scion {

/// The teacher's values in one utterance that a student's layer is fitted to.
struct LayerTarget {
  at::Tensor outputs;  ///< (N, O) float64; undefined if the layer was not computed
  /// (N, H): the teacher's recurrent inputs; undefined without recurrence.
  at::Tensor recurrent;
};

struct PairedLayer {
  std::string name;  ///< of the student's first weight
  ModelPart part = ModelPart::subsampling;
  LinearMap student;         ///< the student's own tensors
  at::Tensor teacher_first;  ///< the teacher's first weight, by which its layer is found
  at::Tensor rows;           ///< (O) int64: the teacher's output of each student output
  /// (O, I), (O) float64: these rows of the teacher's weights, scaled as the plan scales them.
  at::Tensor teacher_weight, teacher_bias;
  /// (H) int64: the teacher's input of each recurrent input; undefined without recurrence.
  at::Tensor recurrent_inputs;
  int64_t target_elements = 0;  ///< of the utterance by which the layer was found

  int64_t student_inputs() const;
  int64_t teacher_inputs() const { return teacher_weight.size(1); }
  int64_t parameters() const;  ///< of the student's layer

  /// What the teacher's layer, with inputs x, gives for the student's outputs.
  LayerTarget target(const at::Tensor& x) const;
  /// Outputs (N, O) float64 of the student's layer, with inputs x.
  at::Tensor student_output(const at::Tensor& x) const;

  /// Moments of no rows, of the sizes that add_rows() needs.
  Moments no_moments() const;
  /// Adds the student's inputs x and the outputs that they should give. Recurrent inputs are the
  /// teacher's: the student's come from the weights that are being replaced.
  void add_rows(const at::Tensor& x, const LayerTarget& target, Moments& moments) const;
  /// Replaces the student's weights by those that fit the moments, as config.compensate says.
  void fit(const Moments& moments, const CalibrationConfig& config) const;

 private:
  AffineMap student_map() const;
  void replace_student(const AffineMap& map) const;
  at::Tensor input_rows(const at::Tensor& x) const;  // (N, G, I)
};

/// A batch normalisation of the student.
struct PairedNorm {
  ModelPart part = ModelPart::subsampling;
  at::Tensor running_mean, running_variance;
};

struct PairedLayers {
  std::vector<PairedLayer> layers;  ///< whose weights the plan takes from the teacher
  std::vector<PairedNorm> norms;
  /// Index of a layer or, with the flag, of a normalisation.
  struct Step {
    bool norm = false;
    size_t index = 0;
  };
  std::vector<Step> order;  ///< of computation

  ModelPart part_of(const Step& step) const;
};

/// Finds the layers by passing one utterance, whose nodes are chosen, through the student.
/// UserError if teacher and student have different pieces.
PairedLayers pair_layers(const Transducer& teacher, const Transducer& student, const Plan& plan,
                         const CalibrationUtterance& utterance);

}  // namespace scion
