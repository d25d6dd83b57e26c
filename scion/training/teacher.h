// The recogniser that a distilled run learns from.
#pragma once

#include <memory>

#include "scion/data/batch.h"
#include "scion/loss/distillation.h"
#include "scion/model/transducer.h"
#include "scion/text/tokenizer.h"
#include "scion/training/run_config.h"

namespace scion {

/// What a teacher makes of a batch: constants, undefined where their weight is 0.
struct TeacherOutput {
  NodeTargets nodes;
  at::Tensor ctc_logits;  ///< (B, T', V)
};

class Teacher {
 public:
  /// The model file config.distill, in evaluation mode, on the student's device. It may have any
  /// encoder and any widths. UserError when its features, normalisation of text, subsampling or
  /// pieces are not the student's, or it has no CTC head to learn from.
  Teacher(const TrainConfig& config, const Transducer& student, const Tokenizer& tokenizer);

  /// `batch` as the student hears it: features on its device, labels and lengths on the processor.
  TeacherOutput listen(const Batch& batch) const;

  const Transducer& model() const { return *model_; }

 private:
  NodeTargets node_targets_of(const EncoderOutput& encoder, const Batch& batch) const;

  std::unique_ptr<Transducer> model_;
  bool nodes_, ctc_, bf16_;
  NodeWeighting weighting_;
};

}  // namespace scion
