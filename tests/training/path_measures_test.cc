#include "scion/training/path_measures.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

namespace scion {
namespace {

// Gradient descent on f(x, y) = (a x² + b y²) / 2 with rate `rate`: x is a weight of layer 0, y one
// of the predictor. All that is measured follows by hand.
class Quadratic {
 public:
  explicit Quadratic(int64_t every) : every_(every) {
    registry_.add_stack({"encoder.layers", 1});
    x_ = registry_.add("encoder.layers.0.weight", {Axis::fixed(1)}, init::zero, true);
    y_ = registry_.add("predictor.weight", {Axis::fixed(1)}, init::zero, true);
    registry_.add("encoder.running", {Axis::fixed(1)}, init::zero, false);
    const at::NoGradGuard no_grad;
    x_.fill_(3);
    y_.fill_(4);
    forget();
  }

  double x() const { return x_.item<double>(); }
  double y() const { return y_.item<double>(); }

  std::optional<nlohmann::json> update() {
    const at::NoGradGuard no_grad;
    ++update_;
    // As if two batches had been accumulated.
    x_.mutable_grad() = 2 * a * x_.detach();
    y_.mutable_grad() = 2 * b * y_.detach();
    measures_->before_step(update_, 0.5);
    x_ -= rate * a * x_.detach();
    y_ -= rate * b * y_.detach();
    return measures_->after_step(update_);
  }

  PathMeasures& measures() { return *measures_; }
  // As after a new start of the program, with the weights as they are.
  void forget() { measures_ = std::make_unique<PathMeasures>(registry_, every_); }

  static constexpr double a = 1, b = 4, rate = 0.125;

 private:
  int64_t every_;
  Registry registry_;
  at::Tensor x_, y_;
  std::unique_ptr<PathMeasures> measures_;
  int64_t update_ = 0;
};

TEST(PathMeasures, OnAQuadraticWithAKnownPath) {
  Quadratic descent(1);
  double x = 3, y = 4, path = 0, path_x = 0, before_x = 0, before_y = 0;
  for (int update = 1; update <= 6; ++update) {
    const double gx = Quadratic::a * x, gy = Quadratic::b * y, norm = std::hypot(gx, gy);
    const auto line = descent.update();
    ASSERT_TRUE(line.has_value());
    path += Quadratic::rate * norm;
    path_x += Quadratic::rate * gx;
    x -= Quadratic::rate * gx;
    y -= Quadratic::rate * gy;
    const nlohmann::json& all = line->at("all");
    EXPECT_NEAR(all.at("norm").get<double>(), norm, 1e-5);
    EXPECT_NEAR(all.at("path").get<double>(), path, 1e-5);
    EXPECT_NEAR(all.at("displacement").get<double>(), std::hypot(x - 3, y - 4), 1e-5);
    EXPECT_NEAR(line->at("layers.0").at("path").get<double>(), path_x, 1e-5);
    EXPECT_NEAR(line->at("predictor").at("norm").get<double>(), gy, 1e-5);
    if (update == 1) {
      EXPECT_TRUE(all.at("cosine").is_null());
      EXPECT_TRUE(all.at("change").is_null());
    } else {
      const double norm_before = std::hypot(before_x, before_y);
      EXPECT_NEAR(all.at("cosine").get<double>(),
                  (gx * before_x + gy * before_y) / norm / norm_before, 1e-6);
      EXPECT_NEAR(all.at("change").get<double>(), std::log(norm / norm_before), 1e-6);
      // In one dimension nothing turns.
      EXPECT_NEAR(line->at("predictor").at("cosine").get<double>(), 1, 1e-6);
      EXPECT_NEAR(line->at("predictor").at("change").get<double>(), std::log(0.5), 1e-6);
    }
    EXPECT_EQ(line->size(), 3U);  // the buffer belongs to no part
    before_x = gx, before_y = gy;
  }
}

TEST(PathMeasures, EveryThirdUpdateThroughThePointsBetween) {
  Quadratic every(1), third(3);
  double x = 3, y = 4, path = 0;
  for (int update = 1; update <= 9; ++update) {
    const auto dense = every.update(), sparse = third.update();
    EXPECT_EQ(sparse.has_value(), update % 3 == 0);
    if (!sparse) continue;
    path += std::hypot(third.x() - x, third.y() - y);
    x = third.x(), y = third.y();
    EXPECT_NEAR(sparse->at("all").at("path").get<double>(), path, 1e-5);
    for (const char* same : {"norm", "change", "cosine", "displacement"})
      EXPECT_EQ(sparse->at("all").at(same), dense->at("all").at(same)) << same;
  }
}

TEST(PathMeasures, ContinuesWithTheSameNumbers) {
  for (const int64_t every : {1, 2})
    for (int stop = 1; stop <= 4; ++stop) {
      Quadratic whole(every), continued(every);
      SafeTensors state, start;
      for (int update = 1; update <= stop; ++update) whole.update(), continued.update();
      whole.measures().save(state);
      whole.measures().save_start(start);
      continued.forget();
      continued.measures().load(state);
      continued.measures().load_start(start);
      for (int update = stop + 1; update <= 7; ++update)
        EXPECT_EQ(continued.update(), whole.update()) << every << " " << stop << " " << update;
    }
}

TEST(PathMeasures, PartsOfANetwork) {
  Registry registry;
  registry.add_stack({"encoder.layers", 12});
  EXPECT_EQ(parameter_part(registry, "encoder.layers.11.norm.weight"), "layers.11");
  EXPECT_EQ(parameter_part(registry, "encoder.subsampling.projection.bias"), "subsampling");
  EXPECT_EQ(parameter_part(registry, "joiner.output.weight"), "joiner");
  EXPECT_EQ(parameter_part(registry, "predictor.embedding"), "predictor");
  EXPECT_EQ(parameter_part(registry, "ctc.weight"), "heads");
  EXPECT_EQ(parameter_part(registry, "simple_encoder.bias"), "heads");
}

TEST(PathMeasures, NothingWhereNothingIsAsked) {
  Quadratic descent(0);
  EXPECT_FALSE(descent.update().has_value());
  SafeTensors state;
  descent.measures().save(state);
  EXPECT_TRUE(state.tensors.empty());
}

}  // namespace
}  // namespace scion
