// Pickles of tensors, dictionaries, lists, numbers and strings, as torch.save writes them.
#pragma once

#include <ATen/core/Tensor.h>

#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace scion {

/// A value of a pickle. Values refer to each other by pointers into their PickledValues, so that
/// those that are nested deeply, or contain themselves, do no harm.
struct PickledValue {
  enum class Kind {
    none,
    boolean,
    integer,
    real,
    text,  ///< strings, bytes, paths, types of numbers ("torch.float32")
    list,
    tuple,
    dictionary,
    tensor,
    storage,  ///< numbers of a tensor, in `tensor` with one dimension
    name      ///< a class or function that may be called, in `text`: "collections.OrderedDict"
  };
  Kind kind = Kind::none;
  int64_t integer = 0;  ///< boolean, integer
  double real = 0;
  std::string text;
  std::vector<const PickledValue*> items;  ///< list, tuple
  /// dictionary, in order
  std::vector<std::pair<const PickledValue*, const PickledValue*>> pairs;
  at::Tensor tensor;

  /// The value of a dictionary's key; nullptr when it is absent or this is no dictionary.
  const PickledValue* find(std::string_view key) const;
};

/// Owns the values of a pickle.
struct PickledValues {
  std::deque<PickledValue> all;
  const PickledValue* root = nullptr;
};

/// The numbers of the storage `key`, one dimension, of this type and count. Called once a key.
using StorageReader =
    std::function<at::Tensor(const std::string& key, at::ScalarType type, int64_t count)>;

/// Reads a pickle and executes nothing: it builds the values above and tensors that are views of
/// storages. UserError, calling the pickle `name`, when it is damaged or cut short, and naming each
/// instruction, class and function that is not on the list.
PickledValues read_pickle(std::string_view bytes, const std::string& name,
                          const StorageReader& read_storage);

}  // namespace scion
