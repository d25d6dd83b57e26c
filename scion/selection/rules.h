// Selection rules: the teacher layers and elements that a student takes.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "scion/core/option_words.h"
#include "scion/nn/axis.h"

namespace scion {

class Options;

/// Elements of a leaf, see SelectionRules::elements.
enum class ElementRule { even, first, random, magnitude, activation };
template <>
inline constexpr std::array option_words<ElementRule>{"even", "first", "random", "magnitude",
                                                      "activation"};

/// Attention heads, see SelectionRules::heads.
enum class HeadRule { whole, spliced, ranked };
template <>
inline constexpr std::array option_words<HeadRule>{"whole", "spliced", "ranked"};

/// Kernel taps, see SelectionRules::taps.
enum class TapRule { crop, even };
template <>
inline constexpr std::array option_words<TapRule>{"crop", "even"};

/// Rescaling of copied weights, see SelectionRules::rescale.
enum class Rescaling { none, fan_in };
template <>
inline constexpr std::array option_words<Rescaling>{"none", "fan-in"};

/// Evenly spaced indices, as published (Xu et al., 2024): T % S == 0 gives 0, T/S, 2T/S, …;
/// otherwise linspace(0, T−1, S) in float32, rounded half to even. Bit-equal to torch.linspace on
/// its scalar path (ATEN_CPU_CAPABILITY=default); torch's vectorised kernels round differently for
/// some sizes from 3072 on.
Indices even_indices(int64_t teacher, int64_t student);

struct SelectionRules {
  /// Layers. first: consecutive from the front (the paper); last: consecutive from the end; even:
  /// evenly spaced from the front; even-last: evenly spaced, including the first and the last;
  /// drop-middle: half from the front, half from the end; or a list: "0,3,5".
  std::string layers = "first";
  /// Elements of a leaf. even: evenly spaced (the paper); first: consecutive; random: drawn;
  /// magnitude: those with the largest weights; activation: those with the largest second moments
  /// over calibration audio (by magnitude in leaves without such scores). Chosen elements keep
  /// their order.
  ElementRule elements = ElementRule::even;
  /// Attention heads. whole: heads by the rule for elements, each with all its elements or, if the
  /// student's heads are narrower, with elements chosen by the rule, the same in every head;
  /// spliced: by the rule for elements over heads × width as one dimension, as the published rule
  /// does; ranked: as whole, but the heads with the largest output projections (with the largest
  /// scores, if scores are given).
  HeadRule heads = HeadRule::whole;
  /// Kernel taps. crop: around the centre, or the newest of a causal kernel; even: evenly spaced.
  TapRule taps = TapRule::crop;
  /// Rescaling. fan-in: every matrix and kernel times √(teacher's fan-in / student's fan-in); none.
  Rescaling rescale = Rescaling::none;
  /// Multiplies the queries and keys of narrower heads by (student's width / teacher's)^¼ each, so
  /// that, divided by √width, the products that are kept enter the softmax as in the teacher.
  bool attention_scale = true;
  /// Chooses in every dimension of every tensor separately, as the authors' code does: the indices
  /// of a leaf then differ between tensors if a dimension stacks or flattens several leaves.
  bool per_tensor = false;
  int64_t seed = 1;                  ///< of random choices and of the initialisation
  std::vector<std::string> partial;  ///< patterns (parameter_patterns.h) of what stays random

  void declare(Options& options);
  /// UserError naming `place` if the layer rule is unknown or options exclude each other.
  void validate(const std::string& place) const;
};

/// "published": the authors' per-tensor rule. "paper": the same choice, with one set of indices for
/// each leaf. "best": the recommended one, layers even-last and elements by magnitude
/// (docs/evidence.md). UserError with the nearest name for an unknown one.
SelectionRules named_rules(const std::string& name);
std::vector<std::string> rule_set_names();

/// A rule set with some of its options replaced by `options`, a table with the keys that
/// SelectionRules declares, then validated. UserError naming `place` for an unknown option or
/// value.
SelectionRules make_rules(const std::string& name, const nlohmann::json& options,
                          const std::string& place);

/// Teacher layer of each student layer, ascending. UserError if the rule is unknown or a list of
/// layers does not fit.
std::vector<int64_t> select_layers(const std::string& rule, int64_t teacher, int64_t student);

/// Teacher element of each student element of a leaf, ascending; teacher ≥ student. The name of the
/// leaf seeds random choices. elements = "magnitude" and "activation" need `scores`, one for each
/// teacher element.
Indices select_elements(const SelectionRules& rules, const std::string& leaf, int64_t teacher,
                        int64_t student, const std::vector<double>& scores = {});

/// Indices of the `count` highest scores, ascending. Ties go to the first; NaN is the lowest.
Indices highest(const std::vector<double>& scores, int64_t count);

/// Teacher tap of each student tap. UserError if the student has more taps, or the difference is
/// odd for a crop around the centre.
Indices select_taps(const SelectionRules& rules, int64_t teacher, int64_t student,
                    Axis::Anchor anchor);

}  // namespace scion
