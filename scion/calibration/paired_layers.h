// A selected student's linear maps beside those of the teacher that they were taken from.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "scion/calibration/calibration_audio.h"
#include "scion/calibration/compensation.h"
#include "scion/nn/operators/observer.h"
#include "scion/selection/plan.h"

namespace scion {

/// What the teacher makes of an utterance where a linear map of the student stands.
struct MapTarget {
  at::Tensor outputs;  ///< (N, O) float64; undefined: the map was not computed
  at::Tensor memory;   ///< (N, H): the recurrent inputs; undefined where there are none
};

/// A linear map of the student and its counterpart.
struct ReadOut {
  std::string name;  ///< of the student's first weight
  ModelPart segment = ModelPart::subsampling;
  LinearMap student;         ///< the model's own tensors
  at::Tensor teacher_key;    ///< the teacher's first weight
  at::Tensor outputs;        ///< (O) int64: the teacher's output of each student output
  at::Tensor output_scales;  ///< (O): what the plan multiplies them with
  at::Tensor teacher_weight, teacher_bias;  ///< (O, I), (O) float64: those outputs' rows, scaled
  /// (H) int64: the teacher's input of each recurrent input; undefined where there are none.
  at::Tensor memory;
  int64_t values = 0;  ///< outputs × rows in the utterance by which it was found

  int64_t student_inputs() const;
  int64_t parameters() const;  ///< of the student's map
  int64_t teacher_inputs() const { return teacher_weight.size(1); }
  /// The student's weights as they are.
  AffineMap current() const;
  void replace(const AffineMap& map) const;
  /// No rows yet: of the student's inputs and the teacher's outputs.
  Moments no_moments() const;

  /// What the teacher's map, shown with x, gives for the student's outputs. With `whole`, what its
  /// layer goes on with: the residual stream behind the map.
  MapTarget target(const LinearMap& map, const at::Tensor& x, bool whole) const;
  /// Adds the rows of the student's map, shown with x: its inputs and the outputs that meet the
  /// target. Recurrent inputs are the teacher's: what the student remembers would be of the weights
  /// that are being replaced.
  void add_rows(const LinearMap& map, const at::Tensor& x, const MapTarget& target, bool whole,
                Moments& moments) const;
  /// What the student's map gives, as it is: (N, O) float64.
  at::Tensor student_output(const at::Tensor& x) const;

 private:
  // Rows of inputs (N, G, I).
  at::Tensor input_rows(const at::Tensor& x) const;
};

/// A batch normalisation of the student.
struct NormPlace {
  ModelPart segment = ModelPart::subsampling;
  at::Tensor running_mean, running_variance;
};

struct ReadOuts {
  std::vector<ReadOut> maps;  ///< whose weights the plan takes from the teacher
  std::vector<NormPlace> norms;
  /// Indices in the order of computation: of a map, or with the flag, of a normalisation.
  struct Step {
    bool norm = false;
    size_t index = 0;
  };
  std::vector<Step> order;
};

/// Found by a look at one utterance, whose nodes are chosen.
ReadOuts find_read_outs(const Transducer& teacher, const Transducer& student, const Plan& plan,
                        const CalibrationUtterance& utterance);

}  // namespace scion
