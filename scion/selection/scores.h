// How much each of a teacher's elements matters, for rules that keep the best.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace scion {

class Registry;
enum class Grain;

/// By a leaf's full name in the teacher: one number for each of its elements, more is better.
using LeafScores = std::map<std::string, std::vector<double>>;

/// The sum of an element's squared weights over all matrices and kernels that hold the leaf, each
/// of them scaled to a Frobenius norm of 1 (where a leaf stands in two dimensions of one, it counts
/// in both). Biases, scales and statistics count only for leaves that no matrix holds.
LeafScores magnitude_scores(const Registry& teacher, Grain grain);

/// Of attention heads: the sum of squared weights that read the head's output.
LeafScores head_output_scores(const Registry& teacher);

}  // namespace scion
