#include "scion/calibration/moments.h"

namespace scion {

Moments::Moments(int64_t groups, int64_t inputs, int64_t outputs)
    : mean_x_(at::zeros({groups, inputs}, at::kDouble)),
      mean_y_(at::zeros({groups, outputs}, at::kDouble)),
      sum_xx_(at::zeros({groups, inputs, inputs}, at::kDouble)),
      sum_yx_(at::zeros({groups, outputs, inputs}, at::kDouble)),
      sum_yy_(at::zeros({groups, outputs}, at::kDouble)) {}

void Moments::add(const at::Tensor& x, const at::Tensor& y) {
  if (x.size(0) == 0) return;
  Moments rows(mean_x_.size(0), mean_x_.size(1), mean_y_.size(1));
  at::Tensor inputs = x.to(at::kDouble).transpose(0, 1),
             outputs = y.to(at::kDouble).transpose(0, 1);
  rows.count_ = x.size(0);
  rows.mean_x_ = inputs.mean(1);
  rows.mean_y_ = outputs.mean(1);
  inputs = inputs - rows.mean_x_.unsqueeze(1);
  outputs = outputs - rows.mean_y_.unsqueeze(1);
  rows.sum_xx_ = at::bmm(inputs.transpose(1, 2), inputs);
  rows.sum_yx_ = at::bmm(outputs.transpose(1, 2), inputs);
  rows.sum_yy_ = outputs.square().sum(1);
  add(rows);
}

void Moments::add(const Moments& other) {
  if (other.count_ == 0) return;
  const auto mine = static_cast<double>(count_), theirs = static_cast<double>(other.count_);
  const double weight = mine * theirs / (mine + theirs);
  const at::Tensor dx = other.mean_x_ - mean_x_, dy = other.mean_y_ - mean_y_;
  sum_xx_ += other.sum_xx_ + weight * dx.unsqueeze(2) * dx.unsqueeze(1);
  sum_yx_ += other.sum_yx_ + weight * dy.unsqueeze(2) * dx.unsqueeze(1);
  sum_yy_ += other.sum_yy_ + weight * dy.square();
  mean_x_ += dx * (theirs / (mine + theirs));
  mean_y_ += dy * (theirs / (mine + theirs));
  count_ += other.count_;
}

static double divisor(int64_t count) { return static_cast<double>(std::max<int64_t>(1, count)); }

at::Tensor Moments::xx() const { return sum_xx_ / divisor(count_); }
at::Tensor Moments::yx() const { return sum_yx_ / divisor(count_); }
at::Tensor Moments::yy() const { return sum_yy_ / divisor(count_); }

Moments Moments::about_zero() const {
  Moments moments(mean_x_.size(0), mean_x_.size(1), mean_y_.size(1));
  const auto count = static_cast<double>(count_);
  moments.count_ = count_;
  moments.sum_xx_ = sum_xx_ + count * mean_x_.unsqueeze(2) * mean_x_.unsqueeze(1);
  moments.sum_yx_ = sum_yx_ + count * mean_y_.unsqueeze(2) * mean_x_.unsqueeze(1);
  moments.sum_yy_ = sum_yy_ + count * mean_y_.square();
  return moments;
}

}  // namespace scion
