#include "scion/data/length_report.h"

#include "scion/core/log.h"

namespace scion {

LengthReport::LengthReport(const Dataset& data, const LoaderConfig& limits) : limits_(limits) {
  for (size_t i = 0; i < data.size(); ++i) add(data.seconds(i));
}

void LengthReport::add(double seconds) {
  all_.add(seconds);
  if (seconds > limits_.longest_seconds)
    longer_.add(seconds);
  else if (seconds < limits_.shortest_seconds)
    shorter_.add(seconds);
}

std::string LengthReport::line(const Sum& sum, const std::string& limit) const {
  return fmt::format("{} of {} utterances ({:.2f} of {:.2f} h) are {} and are not trained on",
                     sum.count, all_.count, sum.seconds / 3600, all_.seconds / 3600, limit);
}

std::vector<std::string> LengthReport::lines() const {
  std::vector<std::string> lines;
  if (longer_.count > 0)
    lines.push_back(line(
        longer_, fmt::format("longer than loader.longest_seconds = {}", limits_.longest_seconds)));
  if (shorter_.count > 0)
    lines.push_back(line(shorter_, fmt::format("shorter than loader.shortest_seconds = {}",
                                               limits_.shortest_seconds)));
  return lines;
}

void LengthReport::log() const {
  constexpr double noticed = 0.01;
  const bool many = static_cast<double>(left_out()) > noticed * static_cast<double>(all_.count) ||
                    left_out_seconds() > noticed * all_.seconds;
  for (const std::string& line : lines())
    if (many)
      log_warning("{}", line);
    else
      log_info("{}", line);
}

}  // namespace scion
