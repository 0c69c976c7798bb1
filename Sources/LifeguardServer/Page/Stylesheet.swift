/// The pages' look, light or dark as the system is.
enum Stylesheet {
  static let text = """
    :root {
      --ground: #f6f7f9; --card: #fff; --ink: #1c2128; --dim: #656d76; --edge: #d8dee4;
      --good: #1a7f37; --warn: #b35900; --bad: #c62828; --idle: #9aa4af; --link: #0b57c2;
    }
    @media (prefers-color-scheme: dark) {
      :root {
        --ground: #0f1318; --card: #181d24; --ink: #e4e8ee; --dim: #97a1ad; --edge: #2c333d;
        --good: #4ec26b; --warn: #e8a33d; --bad: #ff6b66; --idle: #65707d; --link: #79b0ff;
      }
    }
    * { box-sizing: border-box; }
    body {
      margin: 0; background: var(--ground); color: var(--ink);
      font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
    }
    body.lost main { opacity: .55; }
    body.lost::before {
      content: "no answer from the agent"; display: block; padding: .4rem; text-align: center;
      background: var(--bad); color: #fff;
    }
    main { max-width: 60rem; margin: 0 auto; padding: 1.2rem 1rem 3rem; }
    header, .line { display: flex; flex-wrap: wrap; align-items: center; gap: .3rem .6rem; }
    h1 { font-size: 1.5rem; margin: 0; overflow-wrap: anywhere; }
    h2 {
      font-size: .8rem; letter-spacing: .04em; text-transform: uppercase; color: var(--dim);
      margin: 1.6rem 0 .5rem;
    }
    h3 { font-size: 1.05rem; margin: 0; min-width: 0; overflow-wrap: anywhere; }
    .card h2 { margin: 0 0 .3rem; }
    .card.calm { margin-top: 1.2rem; }
    .card.calm h2 {
      margin: 0; color: var(--good); text-transform: none; font-size: 1rem; letter-spacing: 0;
    }
    a { color: var(--link); text-decoration: none; }
    a:hover { text-decoration: underline; }
    .card {
      background: var(--card); border: 1px solid var(--edge); border-radius: 8px;
      padding: .8rem 1rem; margin-bottom: .7rem; overflow-x: auto;
    }
    .card.bad { border-left: 4px solid var(--bad); }
    .card.warn { border-left: 4px solid var(--warn); }
    .card.calm { border-left: 4px solid var(--good); }
    .card.idle { border-left: 4px solid var(--idle); }
    .card p, .card ol, .card ul { margin: .35rem 0; }
    .card ol, .card ul { padding-left: 1.3rem; }
    header + .card { margin-top: 1.2rem; }
    .badge {
      border: 1px solid var(--edge); border-radius: 99px; padding: 0 .6rem; font-size: .82rem;
      color: var(--dim); background: var(--card);
    }
    .badge.bad { color: var(--bad); border-color: var(--bad); }
    .spring { flex: 1; }
    .dim { color: var(--dim); }
    .dot {
      display: inline-block; width: .6em; height: .6em; border-radius: 50%; margin-right: .5em;
      background: var(--idle);
    }
    .dot.good { background: var(--good); }
    .dot.warn { background: var(--warn); }
    .dot.bad { background: var(--bad); }
    table { border-collapse: collapse; width: 100%; }
    td {
      padding: .3rem 1rem .3rem 0; vertical-align: top; white-space: nowrap;
      border-top: 1px solid var(--edge);
    }
    tr:first-child td { border-top: 0; }
    td.wide { width: 100%; white-space: normal; overflow-wrap: anywhere; min-width: 14rem; }
    @media (max-width: 40rem) {
      tr { display: block; padding: .35rem 0; border-top: 1px solid var(--edge); }
      tr:first-child { border-top: 0; }
      td {
        display: inline-block; padding: 0 .8rem 0 0; border-top: 0;
        white-space: normal; overflow-wrap: anywhere;
      }
      td.wide { display: block; min-width: 0; }
      td.wide:empty { display: none; }
    }
    form { display: inline; margin: 0; }
    button {
      font: inherit; font-size: .85rem; padding: .15rem .8rem; border-radius: 6px; cursor: pointer;
      border: 1px solid var(--edge); background: var(--card); color: var(--ink);
    }
    button.strong { background: var(--link); border-color: var(--link); color: var(--card); }
    code, pre { font: .88em/1.5 ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; }
    pre {
      background: var(--card); border: 1px solid var(--edge); border-radius: 8px; padding: .8rem;
    }
    code { overflow-wrap: anywhere; }
    footer { margin-top: 2rem; font-size: .85rem; }

    """
}
