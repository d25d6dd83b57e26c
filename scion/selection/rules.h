// The rules: which teacher layers and which teacher elements a student takes.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "scion/nn/axis.h"

namespace scion {

class Options;

/// Evenly spaced indices, as published (Xu et al., 2024): T % S == 0 gives 0, T/S, 2T/S, …;
/// otherwise linspace(0, T−1, S) in float32, rounded half to even.
Indices even_indices(int64_t teacher, int64_t student);

/// A choice of elements and layers.
struct SelectionRules {
  /// first: consecutive layers from the front (the paper); last: those from the end; even: evenly
  /// spaced from the front; even-last: evenly spaced, first and last always kept; drop-middle: the
  /// first half from the front, the other from the end; or the layers themselves: "0,3,5".
  std::string layers = "first";
  /// even: evenly spaced (the paper); first: consecutive; random: drawn, ascending; magnitude: of
  /// the largest weights; activation: of the largest second moments over calibration audio (and by
  /// magnitude where audio says nothing). Chosen elements keep their order.
  std::string elements = "even";
  /// Of attention. whole: heads by the rule for elements, in each head all that it has, or where
  /// the student's heads are narrower, the elements that the rule chooses, the same ones in every
  /// head; spliced: by the rule for elements over heads × width as one dimension, as the published
  /// rule does; ranked: as whole, but the heads whose output projections weigh most (by
  /// calibration audio where scores are given).
  std::string heads = "whole";
  /// Of kernels. crop: around the centre, or the newest of a causal kernel; even: evenly spaced.
  std::string taps = "crop";
  /// fan-in: every matrix and kernel times √(teacher's fan-in / student's fan-in); none.
  std::string rescale = "none";
  /// Heads that become narrower: queries and keys times (student's width / teacher's)^¼ each, so
  /// that the products that are kept enter the softmax as they did, over √width, in the teacher.
  bool attention_scale = true;
  /// Every dimension of every tensor by itself, as in the authors' code: indices of one leaf then
  /// differ from tensor to tensor wherever a dimension stacks or flattens several.
  bool per_tensor = false;
  int64_t seed = 1;                  ///< for what is drawn at random
  std::vector<std::string> partial;  ///< what stays random: patterns, see parameter_patterns.h

  void declare(Options& options);
  /// UserError naming `place` if the layer rule is unknown or options exclude each other.
  void validate(const std::string& place) const;
};

/// "published": the authors' per-tensor rule. "paper": the same choice made axis-true. "best": the
/// one to use, layers even-last and elements by magnitude (docs/evidence.md). UserError with the
/// nearest name for another one.
SelectionRules named_rules(const std::string& name);
std::vector<std::string> rule_set_names();

/// A rule set with some of its options replaced by `options`, a table with the keys that
/// SelectionRules declares, then validated. UserError naming `place` for an unknown option or
/// value.
SelectionRules make_rules(const std::string& name, const nlohmann::json& options,
                          const std::string& place);

/// Teacher layer of each student layer, ascending. UserError when there is no such rule, or when
/// layers given one by one do not fit.
std::vector<int64_t> select_layers(const std::string& rule, int64_t teacher, int64_t student);

/// Teacher element of each student element of a leaf, ascending; teacher ≥ student. `leaf` (its
/// name) seeds random choices; `scores`, one a teacher element, are for elements = "magnitude" and
/// "activation".
Indices select_elements(const SelectionRules& rules, const std::string& leaf, int64_t teacher,
                        int64_t student, const std::vector<double>& scores = {});

/// The places of the `count` highest scores, ascending; of equal ones the first, and what is not a
/// number is the lowest.
Indices highest(const std::vector<double>& scores, int64_t count);

/// Teacher tap of each student tap. UserError when the student has more, or a crop around the
/// centre does not come out even.
Indices select_taps(const SelectionRules& rules, int64_t teacher, int64_t student,
                    Axis::Anchor anchor);

}  // namespace scion
