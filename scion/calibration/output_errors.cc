#include "scion/calibration/output_errors.h"

namespace scion {

void OutputErrors::add(const at::Tensor& y, const at::Tensor& target) {
  OutputErrors rows;
  rows.squared_error_ = (y - target).square().sum().item<double>();
  rows.rows_ = target.size(0);
  rows.sum_ = target.sum(0);
  rows.squares_ = target.square().sum(0);
  add(rows);
}

void OutputErrors::add(const OutputErrors& other) {
  if (other.rows_ == 0) return;
  squared_error_ += other.squared_error_;
  rows_ += other.rows_;
  sum_ = sum_.defined() ? sum_ + other.sum_ : other.sum_;
  squares_ = squares_.defined() ? squares_ + other.squares_ : other.squares_;
}

double OutputErrors::relative() const {
  if (rows_ == 0 || squared_error_ == 0) return 0;
  const at::Tensor variances = squares_ - sum_.square() / static_cast<double>(rows_);
  return squared_error_ / variances.sum().item<double>();
}

}  // namespace scion
