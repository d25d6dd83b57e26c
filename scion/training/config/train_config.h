// Options of training, one struct for each of its readers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "scion/core/options.h"
#include "scion/core/span.h"
#include "scion/loss/distillation.h"
#include "scion/model/precision.h"
#include "scion/training/optimisers/adamw.h"

namespace scion {

enum class Schedule { cosine, noam, constant };
template <>
inline constexpr std::array option_words<Schedule>{"cosine", "noam", "constant"};

enum class LossKind { exact, pruned };
template <>
inline constexpr std::array option_words<LossKind>{"exact", "pruned"};

template <>
inline constexpr std::array option_words<NodeWeighting>{"all", "occupied"};

/// [train.loss]
struct LossConfig {
  LossKind kind = LossKind::exact;      ///< of the transducer loss
  double ctc_weight = 0.3;              ///< share of the CTC loss; the transducer loss has the rest
  int64_t workspace = 64;               ///< MB of logits kept for the loss's backward pass
  double fast_emit = 0;                 ///< FastEmit's λ
  double delay_penalty = 0;             ///< on labels in late frames
  double sigma = 0.02;                  ///< TDT: logit under-normalisation
  double omega = 0.1;                   ///< TDT: probability of the RNN-T loss, by batch
  int64_t prune_width = 5;              ///< pruned: states that the joiner evaluates in a frame
  Span prune_warmup = Span::epochs(1);  ///< pruned: until then the simple loss weighs more
  double simple_weight = 0.5;           ///< pruned: weight of the simple joiner's loss
  double simple_predictor_share = 0.25;  ///< of the simple loss: a loss of the predictor alone

  void declare(Options& options);
};

/// [train.distill]
struct DistillConfig {
  std::string teacher;                            ///< model file; empty: no distillation
  double weight = 0.5;                            ///< of the lattice nodes' divergence
  NodeWeighting nodes = NodeWeighting::occupied;  ///< how the nodes are weighted
  double ctc_weight = 0.5;                        ///< of the CTC heads' divergence
  double ctc_temperature = 1;                     ///< divides both CTC heads' logits
  std::optional<Span> until;                      ///< nullopt: to the end of the run
  bool fade = false;                              ///< weights fall linearly to zero at the end

  void declare(Options& options);
};

/// [train.copied]: options of parameters that were copied from another model.
struct CopiedConfig {
  double lr_scale = 1;               ///< learning rate as a multiple of the others'
  std::optional<Span> warmup;        ///< nullopt: the others' warm-up
  double anchor_decay = 0;           ///< decay towards the first values
  std::optional<Span> anchor_until;  ///< nullopt: to the end of the run

  void declare(Options& options);
};

/// [train.checkpoint]
struct CheckpointConfig {
  Span every = Span::epochs(1);
  int64_t keep = 2;  ///< the newest

  void declare(Options& options);
};

/// [train]
struct TrainConfig {
  std::string init = "xavier";  ///< one of random_schemes(), or a model file
  int64_t epochs = 20;
  double peak_lr = 4e-3;
  Schedule schedule = Schedule::cosine;  ///< after a linear warm-up
  Span warmup = Span::epochs(1);
  double final_lr_share = 0.02;      ///< cosine ends at this share of the peak
  int64_t accumulate = 1;            ///< batches an update
  double batch_norm_momentum = 0.1;  ///< share of a batch in the running statistics
  Precision precision = Precision::automatic;
  int64_t average_last = 1;              ///< epochs whose weights the final model averages
  int64_t measure_every = 0;             ///< updates between measurements of the path; 0: none
  std::vector<int64_t> evaluate_epochs;  ///< empty: every epoch
  int64_t seed = 1;
  int64_t threads = 0;              ///< 0: all processors
  std::string device = "cpu";       ///< cpu, cuda
  bool allow_changed_data = false;  ///< when an interrupted run continues
  LossConfig loss;
  AdamWConfig optimiser;
  DistillConfig distill;
  CheckpointConfig checkpoint;
  CopiedConfig copied;

  void declare(Options& options);
};

}  // namespace scion
