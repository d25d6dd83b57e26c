#include "scion/study/report/number_text.h"

#include <fmt/format.h>

namespace scion {

std::string number_text(double value, int decimals) {
  std::string text = fmt::format("{:.{}f}", value, decimals);
  if (text.front() != '-') return text;
  text.erase(0, 1);
  return text.find_first_not_of("0.") == std::string::npos ? text : "−" + text;
}

std::string bound_sign(Bound bound) {
  if (bound == Bound::exact) return "";
  return bound == Bound::at_least ? "≥ " : "≤ ";
}

std::string ratio_text(const std::optional<Ratio>& ratio) {
  return ratio ? bound_sign(ratio->bound) + number_text(ratio->value, 2) + "×" : "–";
}

std::string epochs_text(double epochs) {
  return fmt::format("{:g} {}", epochs, epochs == 1 ? "epoch" : "epochs");
}

}  // namespace scion
