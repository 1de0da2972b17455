"""How the page of a report looks: light and dark as the reader's system says, and on paper."""

STYLE = """
:root{--paper:#fff;--ink:#1c2128;--dim:#5b6570;--line:#d9dee4;--good:#1a7f4b;--bad:#c0332b;--warn:#9a6a00;--back:#6a4fb3;
--calm:#8b949e;--soft:#f5f7f9}
@media (prefers-color-scheme:dark){:root{--paper:#14181d;--ink:#e4e8ec;--dim:#9aa4ae;--line:#323a43;--good:#4fc985;
--bad:#ff7b72;--warn:#e0b04a;--back:#b39df3;--calm:#78828c;--soft:#1c2229}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1.5rem;max-width:75rem;background:var(--paper);color:var(--ink);
font:15px/1.5 system-ui,sans-serif}
h1{font-size:1.6rem;margin:0 0 .75rem}h2{font-size:1.15rem;margin:2rem 0 .5rem}h3{font-size:1rem;margin:1rem 0 .3rem}
dl{display:grid;grid-template-columns:repeat(auto-fit,minmax(14rem,1fr));gap:.3rem 1.5rem;margin:0}
dl div{display:flex;gap:.6rem;min-width:0}dt{color:var(--dim);min-width:4.5rem}
dd{margin:0;overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%;font-size:.92rem}
th{text-align:left;color:var(--dim);font-weight:600}
th,td{padding:.25rem .6rem .25rem 0;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:anywhere}
pre{margin:0;padding:.5rem;background:var(--soft);white-space:pre-wrap;overflow-wrap:anywhere;font-size:.85rem}
.badge{font-size:.85em;font-weight:600;white-space:nowrap}
h1 .badge{font-size:.6em;white-space:normal;vertical-align:.2em}
.badge.good{color:var(--good)}.badge.bad{color:var(--bad)}.badge.warn{color:var(--warn)}.badge.back{color:var(--back)}
.badge.calm{color:var(--dim)}
.axis{display:flex;justify-content:space-between;color:var(--dim);margin:0;font-size:.85rem}
.bars{border-left:1px solid var(--line);border-right:1px solid var(--line)}
.bar{position:relative;height:1.4rem;border-bottom:1px dotted var(--line)}
.bar i{display:block;height:100%;min-width:3px;opacity:.4}
.bar span{position:absolute;left:.4rem;top:0;font-size:.82rem;white-space:nowrap;max-width:100%;overflow:hidden;
text-overflow:ellipsis}
.good{--c:var(--good)}.bad{--c:var(--bad)}.warn{--c:var(--warn)}.back{--c:var(--back)}.calm{--c:var(--calm)}
.bar i{background:var(--c)}
footer{margin-top:2.5rem;color:var(--dim);font-size:.85rem}
@media print{body{padding:0;max-width:none;font-size:11px}
.bar i{print-color-adjust:exact;-webkit-print-color-adjust:exact}
tr,.bar,.lane h3{break-inside:avoid}h2,h3{break-after:avoid}}
"""
