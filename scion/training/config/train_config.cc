#include "scion/training/config/train_config.h"

namespace scion {

void LossConfig::declare(Options& options) {
  options.add("kind", kind,
              "transducer loss; pruned: the joiner evaluates a band of states that a simple joiner "
              "finds");
  options
      .add("ctc_weight", ctc_weight,
           "share of the CTC loss; the transducer loss has the rest; 0 by default for a model "
           "without a CTC head")
      .range(0, 1);
  options
      .add("workspace", workspace,
           "memory for logits that the transducer loss keeps for its backward pass; logits beyond "
           "it are computed twice; a GPU takes 256 MB at least")
      .range(0, 1000000)
      .unit("MB")
      .adjustable();
  options
      .add("fast_emit", fast_emit,
           "FastEmit: gradients of label emissions are scaled by 1 + this; 0: off")
      .range(0, 1);
  options
      .add("delay_penalty", delay_penalty,
           "penalty on a label's log-probability for every encoder frame of delay; 0: off")
      .range(0, 1);
  options
      .add("sigma", sigma,
           "TDT: subtracted from every token's log-probability (logit under-normalisation), which "
           "favours long durations; 0: off")
      .range(0, 10);
  options
      .add("omega", omega,
           "TDT: probability with which a batch gets the RNN-T loss of its tokens instead, so that "
           "frames that durations skip are trained, too; 0: off")
      .range(0, 1);
  options.add("prune_width", prune_width, "pruned: states that the joiner evaluates in each frame")
      .range(2, 1000);
  options.add("prune_warmup", prune_warmup,
              "pruned: \"1e\" or \"500u\" until the pruned loss has its full weight and the simple "
              "loss no more than its final one");
  options.add("simple_weight", simple_weight, "pruned: weight of the simple joiner's loss")
      .range(0, 10);
  options
      .add("simple_predictor_share", simple_predictor_share,
           "pruned: share of the simple loss that depends on the predictor alone (smoothing)")
      .range(0, 1);
}

void DistillConfig::declare(Options& options) {
  options.add("teacher", teacher, "model file of the teacher; empty: no distillation").path();
  options
      .add("weight", weight,
           "weight of the divergence from the teacher on the lattice's nodes, over {label, blank, "
           "rest}, summed over an utterance; 0: none")
      .range(0, 1000);
  options.add("nodes", nodes,
              "all: every node has the same weight; occupied: weighted by the teacher's posterior "
              "of the node; weights sum to frames + labels in both cases");
  options
      .add("ctc_weight", ctc_weight,
           "weight of the divergence between the CTC heads, summed over an utterance's frames; 0: "
           "none, the default for a model without a CTC head")
      .range(0, 1000);
  options
      .add("ctc_temperature", ctc_temperature,
           "divides the CTC heads' logits; their divergence is multiplied by its square")
      .range(0.1, 100);
  options.add("until", until,
              "distillation ends after \"4e\" epochs or \"500u\" updates; empty: with the run");
  options.add("fade", fade, "distillation's weights fall linearly to zero at its end");
}

void CopiedConfig::declare(Options& options) {
  options.add("lr_scale", lr_scale, "learning rate, as a multiple of the other parameters'")
      .range(0, 100);
  options.add("warmup", warmup, "warm-up, \"2e\" or \"500u\"; empty: train.warmup");
  options
      .add("anchor_decay", anchor_decay,
           "AdamW: decay towards the first values, this times the learning rate in every update, "
           "instead of weight decay")
      .range(0, 100);
  options.add("anchor_until", anchor_until,
              "the decay towards the first values ends after \"4e\" or \"500u\"; empty: with the "
              "run");
}

void CheckpointConfig::declare(Options& options) {
  options.add("every", every, "\"1e\": epochs, \"100u\": updates between checkpoints").adjustable();
  options.add("keep", keep, "number of newest checkpoints that are kept")
      .range(1, 1000)
      .adjustable();
}

static void declare_rates(TrainConfig& train, Options& options) {
  options.add("peak_lr", train.peak_lr, "highest learning rate").range(0, 10);
  options.add("schedule", train.schedule, "learning rate after the linear warm-up");
  options.add("warmup", train.warmup, "length of the warm-up: \"2e\" epochs or \"500u\" updates");
  options.add("final_lr_share", train.final_lr_share, "cosine: last rate as a share of the highest")
      .range(0, 1);
}

// Files and flags of version 0.1.0 name options by these.
static void declare_former_names(Options& options) {
  for (const char* name : {"beta1", "beta2", "weight_decay", "clip_norm"})
    options.former(name, std::string("optimiser.") + name);
  options.former("loss", "loss.kind");
  options.former("loss_workspace", "loss.workspace");
  for (const char* name : {"ctc_weight", "fast_emit", "delay_penalty", "prune_width",
                           "prune_warmup", "simple_weight", "simple_predictor_share"})
    options.former(name, std::string("loss.") + name);
  options.former("distill", "distill.teacher");
  for (const char* name : {"weight", "nodes", "ctc_weight", "ctc_temperature", "until", "fade"})
    options.former(std::string("distill_") + name, std::string("distill.") + name);
  options.former("checkpoint_every", "checkpoint.every");
  options.former("keep_checkpoints", "checkpoint.keep");
  options.former("copied_lr_scale", "copied.lr_scale");
  options.former("copied_warmup", "copied.warmup");
  options.former("anchor_decay", "copied.anchor_decay");
  options.former("anchor_until", "copied.anchor_until");
}

void TrainConfig::declare(Options& options) {
  options.add("init", init, "xavier, he, default, or the path of a model file").path();
  options.add("epochs", epochs, "passes over the training data").range(1, 100000).unit("epochs");
  declare_rates(*this, options);
  options.add("accumulate", accumulate, "batches whose gradients make one update")
      .range(1, 10000)
      .unit("batches");
  options
      .add("batch_norm_momentum", batch_norm_momentum,
           "weight of a batch in batch normalisation's running statistics")
      .range(0, 1);
  options.add("precision", precision,
              "of matrix products; auto: bf16 where the processor has it and it was measured to be "
              "faster");
  options
      .add("average_last", average_last,
           "number of final epochs whose weights are averaged into the final model")
      .range(1, 1000)
      .unit("epochs");
  options
      .add("measure_every", measure_every,
           "after every N updates, measurements of the gradients (norm, change, cosine) and of the "
           "weights (path, displacement) by part of the network go to measures.jsonl; at the end, "
           "the loss along the line from start to end goes to loss_line.json; 0: never")
      .range(0, 100000)
      .unit("updates");
  options
      .add("evaluate_epochs", evaluate_epochs, "epochs after which to evaluate; empty: every one")
      .adjustable();
  options.add("seed", seed, "fixes data order, augmentation, dropout, random initialisation")
      .range(0, 1e15);
  options.add("threads", threads, "threads of a tensor operation; 0: all processors")
      .range(0, 1024)
      .adjustable();
  options.add("device", device, "where to train").choices({"cpu", "cuda"}).adjustable();
  options
      .add("allow_changed_data", allow_changed_data,
           "continue an interrupted run although its training data has changed")
      .adjustable();
  options.section("loss", loss, "losses");
  options.section("optimiser", optimiser, "AdamW");
  options.section("distill", distill, "distillation: the student also learns from a teacher");
  options.section("checkpoint", checkpoint, "checkpoints");
  options.section("copied", copied,
                  "experimental, without a gain so far (docs/evidence.md): parameters copied from "
                  "another model");
  declare_former_names(options);
}

}  // namespace scion
