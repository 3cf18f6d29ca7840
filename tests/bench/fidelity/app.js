// SPDX-License-Identifier: GPL-3.0-or-later
// The same under Node.js, without the database: Debian's Node has none built in.
'use strict';
const http = require('http');

const small = 'x'.repeat(100);
const rows = Array.from({ length: 200 }, (_, i) => ({
    id: i + 1, name: `Quiet kettle ${i + 1}`, price: (i % 90 + 10).toFixed(2), category: i % 500,
}));
const kept = new Map();
const cell = new Int32Array(new SharedArrayBuffer(4));

// 5 ms of CPU time of this process: everything here runs on one thread.
function burn() {
    const begun = process.cpuUsage();
    let x = 1;
    for (let spent = 0; spent < 5000;) {
        for (let i = 0; i < 5000; ++i) x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
        const used = process.cpuUsage(begun);
        spent = used.user + used.system;
    }
    return x >= 0 ? small : '';
}

const escaped = (text) => String(text).replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

function render() {
    const lines = rows.map((r) => `<tr><td>${r.id}</td><td>${escaped(r.name)}</td>` +
        `<td>${escaped(r.price)}</td><td>${r.category}</td></tr>\n`);
    return `<!doctype html>\n<table>\n${lines.join('')}</table>\n`;
}

function cached(path) {
    const entry = kept.get(path);
    if (entry && entry.until > Date.now()) return entry.body;
    const body = render();
    kept.set(path, { until: Date.now() + 600000, body });
    return body;
}

function answer(response, body) {
    response.writeHead(200, { 'Content-Type': 'text/html', 'Content-Length': Buffer.byteLength(body) });
    response.end(body);
}

http.createServer((request, response) => {
    const path = request.url;
    if (path === '/hello') return answer(response, small);
    if (path === '/await') return setTimeout(() => answer(response, small), 50);
    if (path === '/block') {
        Atomics.wait(cell, 0, 0, 50);
        return answer(response, small);
    }
    if (path === '/burn') return answer(response, burn());
    if (path === '/render') return answer(response, render());
    if (path.startsWith('/cached/')) return answer(response, cached(path));
    response.writeHead(404);
    return response.end();
}).listen({ host: '127.0.0.1', port: Number(process.argv[2]), backlog: 511 });
