#include <ATen/core/grad_mode.h>

#include "fuzz/foreign.h"
#include "scion/selection/plan.h"

namespace {

// The smallest model with every form of axis.
scion::Registry tiny_model(int64_t width, int64_t heads, int64_t labels) {
  using scion::Axis;
  scion::Registry model;
  const Axis residual = Axis::leaf("residual", width);
  const Axis query = Axis::product(Axis::leaf("layers.0.heads", heads, Axis::Role::heads),
                                   Axis::leaf("layers.0.query", 2, Axis::Role::scaled_dot));
  model.add_stack({"layers", 1});
  model.add("layers.0.in", {Axis::concat({query, query}), residual}, scion::init::weight, true);
  model.add("layers.0.taps",
            {residual, Axis::fixed(1), Axis::taps("layers.0.kernel", 3, Axis::Anchor::centre)},
            scion::init::weight, true);
  model.add("output", {Axis::labels(labels), residual}, scion::init::weight, true);
  return model;
}

}  // namespace

// A plan file: parsed, printed, written again, composed with itself and applied.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const scion::Registry teacher = tiny_model(4, 2, 5);
  static scion::Registry student = tiny_model(3, 1, 4);
  return scion::read_or_refuse([&] {
    const scion::Plan plan = scion::Plan::parse(scion::as_text(data, size), "f");
    plan.to_text();
    if (scion::Plan::from_json(plan.to_json(), "again").to_json() != plan.to_json()) std::abort();
    scion::read_or_refuse([&] { scion::compose(plan, plan); });
    scion::apply_plan(plan, teacher, student);
  });
}
