// Scores of a teacher's elements, for rules that keep the best.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace scion {

class Registry;
enum class Grain;

/// One number for each element of a leaf, by the leaf's full name in the teacher; more is better.
using LeafScores = std::map<std::string, std::vector<double>>;

/// The sum of an element's squared weights over all matrices and kernels with the leaf, each of
/// them scaled to a Frobenius norm of 1; a leaf in two dimensions of a matrix counts in both.
/// Biases, scales and statistics count only for leaves that are in no matrix.
LeafScores magnitude_scores(const Registry& teacher, Grain grain);

/// Scores of attention heads: the sum of squared weights that read the head's output.
LeafScores head_output_scores(const Registry& teacher);

}  // namespace scion
