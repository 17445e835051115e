"""Results as text: a table for each case, Markdown, with ratios against Postfix."""

# key, heading, decimals
COLUMNS = {
    "throughput": (
        ("messages_per_s", "messages/s", 0), ("x_messages_per_s", "× Postfix", 2),
        ("cpu_s_per_1000", "CPU s/1000", 3), ("x_cpu_s_per_1000", "× Postfix", 3),
        ("peak_pss_mb", "peak PSS MB", 0), ("syncs_per_message", "syncs/message", 2),
        ("latency_p50_ms", "p50 ms", 1), ("latency_p99_ms", "p99 ms", 1), ("accept_p50_ms", "accept p50", 1),
        ("connections_out_per_message", "conns out/msg", 3), ("messages", "messages", 0)),
    "idle": (
        ("established", "connections", 0), ("kib_per_connection", "KiB each", 1), ("x_kib_per_connection", "× Postfix", 4),
        ("base_pss_mb", "PSS MB before", 0), ("pss_mb", "PSS MB", 0), ("open_seconds", "s to open", 1),
        ("open_cpu_ms_each", "CPU ms each", 2), ("idle_cpu_percent", "CPU % idle", 1)),
    "backlog": (
        ("waiting", "waiting", 0), ("domains", "domains", 0), ("accepted_per_s", "accepted/s", 0), ("pss_mb", "PSS MB", 0),
        ("idle_cpu_percent", "CPU % idle", 1), ("restart_seconds", "restart s", 2),
        ("first_delivery_seconds", "first delivery s", 2), ("drain_per_s", "drained/s", 0),
        ("x_drain_per_s", "× Postfix", 2), ("of_shortest", "× its shortest", 2), ("drain_cpu_s_per_1000", "drain CPU s/1000", 2),
        ("drain_peak_pss_mb", "drain PSS MB", 0), ("unreached", "left over", 0)),
}
REFERENCE = "postfix"


def with_ratios(results):
    out = {}
    for name, row in results.items():
        # "postfix", or "postfix 1000" for "tapal 1000"
        reference = results.get(" ".join([REFERENCE, *name.split()[1:]]), {})
        ratios = {f"x_{key}": value / reference[key] for key, value in row.items()
                  if isinstance(value, (int, float)) and reference.get(key)}
        # A long backlog beside the shortest one of the same server's.
        own = [other for key, other in results.items() if key.split()[0] == name.split()[0] and "waiting" in other]
        if len(own) > 1:
            ratios["of_shortest"] = row["drain_per_s"] / min(own, key=lambda other: other["waiting"])["drain_per_s"]
        out[name] = row | ratios
    return out


def cell(row, key, decimals):
    value = row.get(key)
    return "" if value is None else f"{value:,.{decimals}f}".replace(",", " ")


def remarks(row):
    """What a reader must know of this row."""
    told = []
    for key, text in (("duplicates", "arrived twice"), ("refused_4xx", "temporary refusals"), ("lost", "broken connections")):
        if row.get(key):
            told.append(f"{row[key]} {text}")
    return ", ".join(told)


def table(case, results, titles):
    """`results`: by server, figures or {"cannot": reason}."""
    columns = COLUMNS[case.kind]
    measured = with_ratios({name: row for name, row in results.items() if "cannot" not in row})
    lines = ["| | " + " | ".join(heading for _, heading, _ in columns) + " |", "|---" * (len(columns) + 1) + "|"]
    notes = []
    for name, row in measured.items():
        lines.append(f"| {titles[name]} | " + " | ".join(cell(row, key, decimals) for key, _, decimals in columns) + " |")
        if text := remarks(row):
            notes.append(f"{titles[name]}: {text}.")
    notes += [f"{titles[name]}: not measured: {row['cannot']}." for name, row in results.items() if "cannot" in row]
    return "\n".join(lines + ([""] + notes if notes else []))
