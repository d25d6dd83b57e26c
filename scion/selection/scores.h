// How much each of a teacher's elements matters, for rules that keep the best.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace scion {

/// By a leaf's full name in the teacher: one number for each of its elements, more is better.
using LeafScores = std::map<std::string, std::vector<double>>;

}  // namespace scion
