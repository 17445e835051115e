// The headers many product files need, parsed once. None of them changes often: each change compiles everything.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <expected>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <ranges>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/ip_address.h"
#include "base/result.h"
#include "base/task.h"
#include "base/time.h"
#include "ports/clock.h"
#include "ports/log.h"
#include "ports/loop.h"
#include "ports/resolver.h"
#include "ports/stream.h"
