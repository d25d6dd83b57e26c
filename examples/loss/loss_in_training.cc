// The transducer loss in a training loop: a joiner learns to emit the labels of random features.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <scion/loss/transducer_loss.h>

#include <cstdio>
#include <vector>

int main() {
  const int64_t batch = 4, frames = 20, labels = 5, width = 16, classes = 12;
  at::manual_seed(1);
  const at::Tensor tokens = at::randint(1, classes, {batch, labels}, at::kLong);
  const at::Tensor frame_lengths = at::tensor({20, 18, 15, 11}, at::kLong);
  const at::Tensor token_lengths = at::tensor({5, 5, 4, 2}, at::kLong);
  // In a recogniser the first two are outputs of the encoder and the predictor.
  std::vector<at::Tensor> parameters = {at::randn({batch, frames, width}),
                                        at::randn({batch, labels + 1, width}),
                                        at::randn({classes, width}) * 0.1, at::zeros({classes})};
  for (at::Tensor& parameter : parameters) parameter.requires_grad_();

  double first = 0, last = 0;
  for (int step = 0; step < 50; ++step) {
    const at::Tensor loss =
        scion::joiner_transducer_loss({parameters[0], parameters[1], parameters[2], parameters[3]},
                                      {tokens, frame_lengths, token_lengths});
    loss.sum().backward();
    last = loss.mean().item<double>();
    if (step == 0) first = last;
    const at::NoGradGuard no_grad;
    for (at::Tensor& parameter : parameters) {
      parameter -= 0.1 * parameter.grad();
      parameter.mutable_grad().reset();
    }
    if (step % 10 == 0) std::printf("step %2d: loss %.3f\n", step, last);
  }
  std::printf("loss %.3f to %.3f\n", first, last);
  return last < first ? 0 : 1;
}
