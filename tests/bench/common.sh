# SPDX-License-Identifier: GPL-3.0-or-later
# Shared by the benchmarks: a private nginx, our server, CPU of a process, medians.
# shellcheck shell=bash

scratch=$(mktemp -d)
pids=()
# The script keeps the exit code of what failed; everything it started ends with it.
cleanup() {
    local code=$?
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    wait 2>/dev/null || true
    rm -rf "$scratch"
    exit "$code"
}
trap cleanup EXIT

server_core=0
client_core=$(( $(nproc) > 1 ? 1 : 0 ))

need() {
    for tool in "$@"; do
        command -v "$tool" >/dev/null || PATH=$PATH:/usr/sbin command -v "$tool" >/dev/null \
            || { echo "needs $tool; ./lab bench installs it" >&2; exit 1; }
    done
}

# nginx with one worker, answering from memory; sets nginx_pid (the worker's) and nginx_url.
start_nginx() {
    local port=18080 large
    large=$(head -c 10000 /dev/zero | tr '\0' x)
    cat >"$scratch/nginx.conf" <<CONF
worker_processes 1;
daemon off;
pid $scratch/nginx.pid;
error_log $scratch/error.log;
events { worker_connections 4096; }
http {
    access_log off;
    keepalive_requests 1000000000;
    keepalive_timeout 600s;
    client_body_temp_path $scratch/body; proxy_temp_path $scratch/proxy; fastcgi_temp_path $scratch/fcgi;
    uwsgi_temp_path $scratch/uwsgi; scgi_temp_path $scratch/scgi;
    server {
        listen 127.0.0.1:$port backlog=4096;
        location /small { return 200 "$(head -c 100 /dev/zero | tr '\0' x)"; }
        include $scratch/large.conf;
    }
}
CONF
    # nginx bounds a parameter at 4 kB: the large body is made of three variables.
    {
        printf 'set $a "%s";\nset $b "%s";\nset $c "%s";\n' \
            "${large:0:3400}" "${large:3400:3400}" "${large:6800}"
        printf 'location /large { return 200 "$a$b$c"; }\n'
    } >"$scratch/large.conf"
    PATH=$PATH:/usr/sbin taskset -c $server_core nginx -c "$scratch/nginx.conf" -p "$scratch" 2>/dev/null &
    pids+=($!)
    local master=$! tries=0
    until curl -s -o /dev/null "http://127.0.0.1:$port/small"; do
        tries=$((tries + 1)); [ $tries -lt 50 ] || { cat "$scratch/error.log" >&2; exit 1; }
        sleep 0.1
    done
    nginx_pid=$(pgrep -P "$master" | head -1)
    nginx_url=http://127.0.0.1:$port
}

# Our server alone: start_lab SCENARIO [--set ...]; sets lab_pid and lab_url.
start_lab() {
    taskset -c $server_core "$lab" serve "$@" --port 18081 >"$scratch/serve.log" 2>&1 &
    lab_pid=$!
    pids+=("$lab_pid")
    lab_url=http://127.0.0.1:18081
    local tries=0
    until curl -s -o /dev/null "$lab_url/"; do
        tries=$((tries + 1)); [ $tries -lt 100 ] || { cat "$scratch/serve.log" >&2; exit 1; }
        sleep 0.1
    done
}

# CPU time of a process so far, in clock ticks (10 ms).
cpu_ticks() { awk '{ print $14 + $15 }' "/proc/$1/stat"; }

# wrk_run PID URL CONNECTIONS SECONDS -> "requests_per_s cpu_us_per_request" of the server PID.
wrk_run() {
    local before after out
    before=$(cpu_ticks "$1")
    out=$(taskset -c $client_core wrk -t1 "-c$3" "-d$4s" "$2")
    after=$(cpu_ticks "$1")
    awk -v ticks=$((after - before)) '
        /requests in/ { requests = $1 }
        /Requests\/sec/ { rate = $2 }
        /Non-2xx/ { bad = $NF }
        END { if (bad > 0) print "bad answers: " bad > "/dev/stderr";
              printf "%.0f %.3f\n", rate, ticks * 10000 / requests }' <<<"$out"
}

median() { sort -g | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

# json KEY.PATH <FILE: one number of a result (jq is not needed for three lines).
json() {
    "$build/bin/json_value" "$1"
}

# verdict WHAT VALUE OP BOUND: prints the line and remembers a miss.
missed=0
verdict() {
    local ok
    ok=$(awk -v v="$2" -v b="$4" -v op="$3" 'BEGIN { print (op == ">=" ? v >= b : v <= b) ? "met" : "MISSED" }')
    printf '  %-58s %10.3f  %s %-8s %s\n' "$1" "$2" "$3" "$4" "$ok"
    [ "$ok" = met ] || missed=1
}
