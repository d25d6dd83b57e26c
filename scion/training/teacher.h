// The teacher of a distilled run.
#pragma once

#include <memory>

#include "scion/data/batch.h"
#include "scion/loss/distillation.h"
#include "scion/model/transducer.h"
#include "scion/text/tokenizer.h"
#include "scion/training/config/train_config.h"

namespace scion {

/// A teacher's outputs for a batch: constants, undefined where their weight is 0.
struct TeacherOutput {
  NodeTargets nodes;
  at::Tensor ctc_logits;  ///< (B, T', V)
};

class Teacher {
 public:
  /// The model file config.teacher, in evaluation mode, on the student's device. It may have any
  /// encoder and any widths. UserError when its features, text normalisation, subsampling or
  /// pieces differ from the student's, or when it lacks the CTC head that config.ctc_weight needs.
  Teacher(const DistillConfig& config, Precision precision, const Transducer& student,
          const Tokenizer& tokenizer);

  /// `batch` holds features on the student's device, labels and lengths on the CPU.
  TeacherOutput targets_for(const Batch& batch) const;

  const Transducer& model() const { return *model_; }

 private:
  NodeTargets node_targets_of(const EncoderOutput& encoder, const Batch& batch) const;

  std::unique_ptr<Transducer> model_;
  bool nodes_, ctc_, bf16_;
  NodeWeighting weighting_;
};

}  // namespace scion
