// What a loader's limits on length leave out.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "scion/data/loader.h"

namespace scion {

class LengthReport {
 public:
  explicit LengthReport(const LoaderConfig& limits) : limits_(limits) {}
  LengthReport(const Dataset& data, const LoaderConfig& limits);

  /// An utterance of that length.
  void add(double seconds);

  /// What is trained on.
  size_t kept() const { return all_.count - longer_.count - shorter_.count; }
  double kept_seconds() const { return all_.seconds - longer_.seconds - shorter_.seconds; }
  size_t left_out() const { return longer_.count + shorter_.count; }
  double left_out_seconds() const { return longer_.seconds + shorter_.seconds; }
  /// "20 of 80 utterances (0.20 of 0.24 h) are longer than loader.longest_seconds = 30 and are not
  /// trained on", and the same for the shorter ones; none where nothing is left out.
  std::vector<std::string> lines() const;
  /// The lines, as warnings where more than 1 % of the utterances or hours are left out.
  void log() const;

 private:
  struct Sum {
    size_t count = 0;
    double seconds = 0;
    void add(double one) {
      ++count;
      seconds += one;
    }
  };
  std::string line(const Sum& sum, const std::string& limit) const;

  LoaderConfig limits_;
  Sum all_, longer_, shorter_;
};

}  // namespace scion
