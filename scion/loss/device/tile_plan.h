// The schedule of a batch's nodes through a workspace of limited size: in tiles, the first of which
// keep a slot each. Internal to scion/loss.
#pragma once

#include <algorithm>
#include <cstdint>

namespace scion {

/// Tiles of equal size (the last one may be smaller). Tile i uses slot min(i, slots − 1): all but
/// the last slot hold one tile each, and the last slot in the end holds the last tile. A backward
/// pass over the tiles thus finds the last and the first ones still there.
struct TilePlan {
  int64_t nodes = 0;
  int64_t rows = 0;  ///< nodes of a tile
  int64_t slots = 0;

  int64_t tiles() const { return nodes == 0 ? 0 : (nodes + rows - 1) / rows; }
  int64_t first(int64_t tile) const { return tile * rows; }
  int64_t count(int64_t tile) const { return std::min(rows, nodes - first(tile)); }
  int64_t slot(int64_t tile) const { return std::min(tile, slots - 1); }
  /// True if a tile is still in its slot after all tiles have been processed.
  bool stays(int64_t tile) const { return tile < slots - 1 || tile == tiles() - 1; }
};

/// A node needs `slot_bytes` in its slot, and `shared_bytes` more while its tile is processed.
/// Tiles have at least kLeastRows nodes, whatever the workspace. Without `keep` there is one slot;
/// the tiles are the same.
inline TilePlan plan_tiles(int64_t nodes, int64_t slot_bytes, int64_t shared_bytes,
                           int64_t workspace, bool keep) {
  constexpr int64_t kLeastRows = 256;
  // More slots keep more of the tiles; fewer make larger matrix products.
  constexpr int64_t kSlots = 4;
  if (nodes == 0) return {0, 0, 0};
  int64_t rows = nodes;
  if (nodes > workspace / (slot_bytes + shared_bytes)) {
    rows = std::max(kLeastRows, workspace / (kSlots * slot_bytes + shared_bytes));
    const int64_t tiles = (nodes + rows - 1) / rows;
    rows = (nodes + tiles - 1) / tiles;
  }
  const int64_t tiles = (nodes + rows - 1) / rows;
  const int64_t room = (workspace - rows * shared_bytes) / (rows * slot_bytes);
  return {nodes, rows, keep ? std::clamp<int64_t>(room, 1, tiles) : 1};
}

}  // namespace scion
