// What the files of rows are written with (settings_rows_*.cc), and where the table finds them.
#pragma once

#include <cstdint>
#include <span>

#include "app/settings/table.h"

// The field of Settings that a row is about.
#define TAPAL_FIELD(path) [](Settings& settings) -> auto& { return settings.path; }

namespace tapal::app {

inline constexpr std::int64_t kib = 1024;
inline constexpr std::int64_t mib = 1024 * kib;
inline constexpr std::int64_t gib = 1024 * mib;
inline constexpr std::int64_t second = 1000;  // durations are in milliseconds
inline constexpr std::int64_t minute = 60 * second;
inline constexpr std::int64_t hour = 60 * minute;
inline constexpr std::int64_t day = 24 * hour;

std::span<const SettingRow> acme_rows();
std::span<const SettingRow> dns_rows();
std::span<const SettingRow> key_rows();
std::span<const SettingRow> doctor_rows();
std::span<const SettingRow> challenge_hook_rows();
std::span<const SettingRow> machine_rows();
std::span<const SettingRow> receiving_rows();
std::span<const SettingRow> sending_rows();
std::span<const SettingRow> source_rows();
std::span<const SettingRow> shaping_rows();

}  // namespace tapal::app
