// Python's pickletools describes the instructions.
#include "scion/interchange/pickle.h"

#include <bit>
#include <map>
#include <unordered_map>

#include "scion/core/error.h"
#include "scion/core/files/protobuf.h"

namespace scion {
namespace {

using Kind = PickledValue::Kind;

const std::map<std::string, at::ScalarType>& storage_types() {
  static const std::map<std::string, at::ScalarType> types = {
      {"torch.DoubleStorage", at::kDouble}, {"torch.FloatStorage", at::kFloat},
      {"torch.HalfStorage", at::kHalf},     {"torch.BFloat16Storage", at::kBFloat16},
      {"torch.LongStorage", at::kLong},     {"torch.IntStorage", at::kInt},
      {"torch.ShortStorage", at::kShort},   {"torch.CharStorage", at::kChar},
      {"torch.ByteStorage", at::kByte},     {"torch.BoolStorage", at::kBool}};
  return types;
}

bool is_number_type(const std::string& name) {
  static const std::vector<std::string> types = {
      "torch.float64", "torch.float32", "torch.float16", "torch.bfloat16", "torch.int64",
      "torch.int32",   "torch.int16",   "torch.int8",    "torch.uint8",    "torch.bool"};
  return std::find(types.begin(), types.end(), name) != types.end();
}

bool is_path(const std::string& name) {
  return name.starts_with("pathlib.") && name.ends_with("Path");
}

bool may_be_called(const std::string& name) {
  static const std::vector<std::string> functions = {"collections.OrderedDict",
                                                     "torch.Size",
                                                     "torch.device",
                                                     "torch._utils._rebuild_tensor",
                                                     "torch._utils._rebuild_tensor_v2",
                                                     "torch._utils._rebuild_parameter"};
  return std::find(functions.begin(), functions.end(), name) != functions.end() || is_path(name);
}

// Instructions that are known and not on the list.
std::string instruction_name(unsigned char code) {
  static const std::map<unsigned char, std::string> names = {{'(', "MARK"},
                                                             {'1', "POP_MARK"},
                                                             {'2', "DUP"},
                                                             {'F', "FLOAT"},
                                                             {'I', "INT"},
                                                             {'L', "LONG"},
                                                             {'P', "PERSID"},
                                                             {'S', "STRING"},
                                                             {'V', "UNICODE"},
                                                             {'g', "GET"},
                                                             {'i', "INST"},
                                                             {'o', "OBJ"},
                                                             {'p', "PUT"},
                                                             {0x81, "NEWOBJ"},
                                                             {0x82, "EXT1"},
                                                             {0x83, "EXT2"},
                                                             {0x84, "EXT4"},
                                                             {0x8b, "LONG4"},
                                                             {0x8f, "EMPTY_SET"},
                                                             {0x90, "ADDITEMS"},
                                                             {0x91, "FROZENSET"},
                                                             {0x92, "NEWOBJ_EX"},
                                                             {0x96, "BYTEARRAY8"},
                                                             {0x97, "NEXT_BUFFER"},
                                                             {0x98, "READONLY_BUFFER"}};
  const auto found = names.find(code);
  return found == names.end() ? fmt::format("{:#04x}", code) : found->second;
}

class PickleReader {
 public:
  PickleReader(std::string_view bytes, std::string name, const StorageReader& read_storage)
      : bytes_(bytes), name_(std::move(name)), read_storage_(read_storage) {}

  PickledValues read() {
    while (values_.root == nullptr) step();
    return std::move(values_);
  }

 private:
  using Value = PickledValue*;

  [[noreturn]] void fail(const std::string& what) const {
    throw UserError(fmt::format("{}: at byte {}: {}", name_, place_, what),
                    "copy or download the file again");
  }

  // ---- bytes ----

  std::string_view take(uint64_t count) {
    if (count > bytes_.size() - place_) fail("the pickle is cut short");
    const std::string_view taken = bytes_.substr(place_, count);
    place_ += count;
    return taken;
  }
  template <class Number>
  Number number() {
    return protobuf::from_little_endian<Number>(take(sizeof(Number)));
  }
  std::string line() {
    const size_t end = bytes_.find('\n', place_);
    if (end == std::string_view::npos) fail("the pickle is cut short");
    std::string text(bytes_.substr(place_, end - place_));
    place_ = end + 1;
    return text;
  }
  /// Two's complement of up to 8 bytes.
  int64_t long_integer() {
    const auto count = number<uint8_t>();
    if (count > 8) fail(fmt::format("a whole number of {} bytes", count));
    const std::string_view taken = take(count);
    uint64_t value = 0;
    for (size_t i = 0; i < taken.size(); ++i)
      value |= uint64_t(static_cast<unsigned char>(taken[i])) << (8 * i);
    if (count == 0 || count == 8) return static_cast<int64_t>(value);
    const auto unused = static_cast<int>(64 - 8 * count);
    return static_cast<int64_t>(value << unused) >> unused;
  }

  // ---- the stack ----

  Value make(Kind kind) {
    values_.all.push_back({.kind = kind, .text = {}, .items = {}, .pairs = {}, .tensor = {}});
    return &values_.all.back();
  }
  void push(Value value) { stack_.push_back(value); }
  void push_integer(int64_t integer, Kind kind = Kind::integer) {
    push(make(kind));
    stack_.back()->integer = integer;
  }
  void push_text(std::string_view text, Kind kind = Kind::text) {
    push(make(kind));
    stack_.back()->text = text;
  }
  size_t mark() const { return marks_.empty() ? 0 : marks_.back(); }
  Value pop() {
    if (stack_.size() <= mark()) fail("the stack is empty");
    const Value value = stack_.back();
    stack_.pop_back();
    return value;
  }
  Value top(Kind kind, const char* what) {
    if (stack_.size() <= mark() || stack_.back()->kind != kind)
      fail(fmt::format("{} is wanted on the stack", what));
    return stack_.back();
  }
  /// What lies above the last mark, which is removed.
  std::vector<Value> pop_to_mark() {
    if (marks_.empty()) fail("a mark is missing");
    const auto first = stack_.begin() + static_cast<int64_t>(marks_.back());
    std::vector<Value> above(first, stack_.end());
    stack_.erase(first, stack_.end());
    marks_.pop_back();
    return above;
  }
  void push_tuple(size_t count) {
    const Value tuple = make(Kind::tuple);
    tuple->items.resize(count);
    for (size_t i = count; i-- > 0;) tuple->items[i] = pop();
    push(tuple);
  }
  void append(const std::vector<Value>& items) {
    const Value list = top(Kind::list, "a list");
    list->items.insert(list->items.end(), items.begin(), items.end());
  }
  void set_items(const std::vector<Value>& items) {
    const Value table = top(Kind::dictionary, "a dictionary");
    if (items.size() % 2 != 0) fail("a key of a dictionary has no value");
    for (size_t i = 0; i < items.size(); i += 2) table->pairs.emplace_back(items[i], items[i + 1]);
  }
  void recall(uint32_t key) {
    const auto found = memo_.find(key);
    if (found == memo_.end()) fail(fmt::format("nothing was kept as {}", key));
    push(found->second);
  }
  void keep(uint64_t key) {
    if (stack_.size() <= mark()) fail("the stack is empty");
    memo_[key] = stack_.back();
  }

  // ---- classes, functions, storages ----

  void push_name(const std::string& name) {
    const bool is_storage = storage_types().contains(name);
    if (is_number_type(name)) return push_text(name);
    if (!is_storage && !may_be_called(name))
      throw UserError(
          fmt::format("{}: it holds '{}', which scion does not load", name_, name),
          "only tensors, numbers, strings, lists and dictionaries are read: save the weights alone "
          "with torch.save(model.state_dict(), FILE)");
    push_text(name, Kind::name);
  }

  void push_stack_name() {
    const Value name = pop(), module = pop();
    if (name->kind != Kind::text || module->kind != Kind::text) fail("a name is no string");
    push_name(module->text + "." + name->text);
  }

  void call() {
    const Value arguments = pop(), function = pop();
    if (function->kind != Kind::name || arguments->kind != Kind::tuple)
      fail("what is called is no function");
    const std::string& name = function->text;
    if (name == "collections.OrderedDict") return push_dictionary(*arguments);
    if (name == "torch._utils._rebuild_tensor_v2" || name == "torch._utils._rebuild_tensor")
      return push_tensor(*arguments);
    if (name == "torch._utils._rebuild_parameter")
      return push_item(*arguments, Kind::tensor, "a parameter");
    if (name == "torch.Size") return push_item(*arguments, Kind::tuple, "a size");
    if (name == "torch.device") return push_item(*arguments, Kind::text, "a device");
    if (is_path(name)) return push_path(*arguments);
    fail(fmt::format("'{}' cannot be called", name));
  }

  void push_dictionary(const PickledValue& arguments) {
    if (!arguments.items.empty()) fail("an OrderedDict with arguments");
    push(make(Kind::dictionary));
  }
  /// Pushes a copy of the first argument, which is of this kind and short.
  void push_item(const PickledValue& arguments, Kind kind, const char* what) {
    constexpr size_t longest = 4096;
    if (arguments.items.empty() || arguments.items[0]->kind != kind ||
        arguments.items[0]->items.size() > longest || arguments.items[0]->text.size() > longest)
      fail(fmt::format("{} is broken", what));
    const Value copy = make(kind);
    *copy = *arguments.items[0];
    push(copy);
  }
  void push_path(const PickledValue& arguments) {
    constexpr size_t longest_path = 4096;
    std::string path;
    for (const PickledValue* part : arguments.items) {
      if (part->kind != Kind::text) fail("a path is broken");
      if (!path.empty() && !path.ends_with('/')) path += '/';
      path += part->text;
      // The parts may be longer paths each time.
      if (path.size() > longest_path)
        fail(fmt::format("a path of more than {} bytes", longest_path));
    }
    push_text(path);
  }

  /// The instruction BUILD: attributes of a dictionary (its _metadata) are left out.
  void build() {
    pop();
    top(Kind::dictionary, "a dictionary");
  }

  /// ("storage", type, key, device, count)
  void push_storage() {
    const Value id = pop();
    const auto& items = id->items;
    const bool good = id->kind == Kind::tuple && items.size() == 5 &&
                      items[0]->kind == Kind::text && items[0]->text == "storage" &&
                      items[1]->kind == Kind::name && items[2]->kind == Kind::text &&
                      items[4]->kind == Kind::integer;
    if (!good) fail("a storage is not described as torch does");
    const auto type = storage_types().find(items[1]->text);
    if (type == storage_types().end()) fail(fmt::format("'{}' is no storage", items[1]->text));
    Value& storage = storages_[items[2]->text];
    if (storage == nullptr) {
      storage = make(Kind::storage);
      storage->tensor = read_storage_(items[2]->text, type->second, items[4]->integer);
    }
    if (storage->tensor.scalar_type() != type->second)
      fail(fmt::format("storage {} has two types of numbers", items[2]->text));
    push(storage);
  }

  std::vector<int64_t> integers(const PickledValue& tuple) const {
    std::vector<int64_t> numbers;
    if (tuple.kind != Kind::tuple) fail("a tensor's shape is broken");
    for (const PickledValue* item : tuple.items) {
      if (item->kind != Kind::integer || item->integer < 0) fail("a tensor's shape is broken");
      numbers.push_back(item->integer);
    }
    return numbers;
  }

  /// (storage, offset, sizes, strides, …)
  void push_tensor(const PickledValue& arguments) {
    const auto& items = arguments.items;
    if (items.size() < 4 || items[0]->kind != Kind::storage || items[1]->kind != Kind::integer)
      fail("a tensor is broken");
    if (items.size() > 6 && !items[6]->pairs.empty())
      fail("a tensor has marks (conjugate, negative) that scion does not know");
    const at::Tensor& storage = items[0]->tensor;
    const std::vector<int64_t> sizes = integers(*items[2]), strides = integers(*items[3]);
    constexpr size_t most_dimensions = 64;
    if (sizes.size() != strides.size() || sizes.size() > most_dimensions)
      fail("a tensor's shape is broken");
    check_extent(storage.numel(), items[1]->integer, sizes, strides);
    const Value tensor = make(Kind::tensor);
    tensor->tensor = storage.as_strided(sizes, strides, items[1]->integer);
    push(tensor);
  }

  /// Whether the view lies in the storage, and its elements can be counted.
  void check_extent(int64_t count, int64_t offset, const std::vector<int64_t>& sizes,
                    const std::vector<int64_t>& strides) const {
    const auto too_large = [&] { fail("a tensor is larger than its storage"); };
    if (offset < 0 || offset > count) too_large();
    int64_t last = offset, elements = 1, bytes = 0;
    const bool empty = std::find(sizes.begin(), sizes.end(), 0) != sizes.end();
    for (size_t i = 0; i < sizes.size(); ++i) {
      int64_t reach = 0;
      if (__builtin_mul_overflow(std::max<int64_t>(sizes[i], 1), elements, &elements) ||
          __builtin_mul_overflow(elements, int64_t{8}, &bytes) ||
          __builtin_mul_overflow(std::max<int64_t>(sizes[i] - 1, 0), strides[i], &reach) ||
          __builtin_add_overflow(last, reach, &last))
        too_large();
    }
    if (!empty && last >= count) too_large();
  }

  // ---- instructions ----

  void step() {
    const auto code = number<uint8_t>();
    if (read_scalar(code) || read_text(code) || read_container(code) || read_memo(code)) return;
    switch (code) {
      case 0x80:  // PROTO
        if (const auto version = number<uint8_t>(); version > 5)
          fail(fmt::format("protocol {} is not known", version));
        return;
      case 0x95:  // FRAME
        number<uint64_t>();
        return;
      case '.':
        values_.root = pop();
        return;
      case '0':
        pop();
        return;
      case 'c': {
        const std::string module = line();
        return push_name(module + "." + line());
      }
      case 0x93:
        return push_stack_name();
      case 'R':
        return call();
      case 'b':
        return build();
      case 'Q':
        return push_storage();
      default:
        throw UserError(fmt::format("{}: at byte {}: the instruction {} is not on scion's list",
                                    name_, place_ - 1, instruction_name(code)),
                        "save the weights alone with torch.save(model.state_dict(), FILE)");
    }
  }

  bool read_scalar(uint8_t code) {
    switch (code) {
      case 'N':
        push(make(Kind::none));
        return true;
      case 0x88:
      case 0x89:
        push_integer(code == 0x88 ? 1 : 0, Kind::boolean);
        return true;
      case 'J':
        push_integer(number<int32_t>());
        return true;
      case 'K':
        push_integer(number<uint8_t>());
        return true;
      case 'M':
        push_integer(number<uint16_t>());
        return true;
      case 0x8a:
        push_integer(long_integer());
        return true;
      case 'G': {
        std::string reversed(take(8));
        std::reverse(reversed.begin(), reversed.end());
        push(make(Kind::real));
        stack_.back()->real = protobuf::from_little_endian<double>(reversed);
        return true;
      }
      default:
        return false;
    }
  }

  bool read_text(uint8_t code) {
    switch (code) {
      case 0x8c:  // SHORT_BINUNICODE
      case 'U':   // SHORT_BINSTRING
      case 'C':   // SHORT_BINBYTES
        push_text(take(number<uint8_t>()));
        return true;
      case 'X':  // BINUNICODE
      case 'T':  // BINSTRING
      case 'B':  // BINBYTES
        push_text(take(number<uint32_t>()));
        return true;
      case 0x8d:  // BINUNICODE8
      case 0x8e:  // BINBYTES8
        push_text(take(number<uint64_t>()));
        return true;
      default:
        return false;
    }
  }

  bool read_container(uint8_t code) {
    switch (code) {
      case '(':
        marks_.push_back(stack_.size());
        return true;
      case ']':
        push(make(Kind::list));
        return true;
      case '}':
        push(make(Kind::dictionary));
        return true;
      case ')':
        push_tuple(0);
        return true;
      case 0x85:
      case 0x86:
      case 0x87:
        push_tuple(code - 0x84U);
        return true;
      case 't': {
        const std::vector<Value> items = pop_to_mark();
        push(make(Kind::tuple));
        stack_.back()->items.assign(items.begin(), items.end());
        return true;
      }
      case 'a': {
        const Value item = pop();
        append({item});
        return true;
      }
      case 'e':
        append(pop_to_mark());
        return true;
      case 's': {
        const Value value = pop(), key = pop();
        set_items({key, value});
        return true;
      }
      case 'u':
        set_items(pop_to_mark());
        return true;
      default:
        return false;
    }
  }

  bool read_memo(uint8_t code) {
    switch (code) {
      case 'h':
        recall(number<uint8_t>());
        return true;
      case 'j':
        recall(number<uint32_t>());
        return true;
      case 'q':
        keep(number<uint8_t>());
        return true;
      case 'r':
        keep(number<uint32_t>());
        return true;
      case 0x94:  // MEMOIZE
        keep(memo_.size());
        return true;
      default:
        return false;
    }
  }

  std::string_view bytes_;
  std::string name_;
  const StorageReader& read_storage_;
  size_t place_ = 0;
  PickledValues values_;
  std::vector<Value> stack_;
  std::vector<size_t> marks_;
  std::unordered_map<uint64_t, Value> memo_;
  std::map<std::string, Value> storages_;
};

}  // namespace

const PickledValue* PickledValue::find(std::string_view key) const {
  for (const auto& [name, value] : pairs)
    if (name->kind == Kind::text && name->text == key) return value;
  return nullptr;
}

PickledValues read_pickle(std::string_view bytes, const std::string& name,
                          const StorageReader& read_storage) {
  return PickleReader(bytes, name, read_storage).read();
}

}  // namespace scion
