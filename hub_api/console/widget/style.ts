const LIGHT = `--bg:#fff;--text:#1c1f23;--low:#f4f6f8;--line:#d9dee3;--quiet:#4a545e;--edge:#6b7680;--rim:transparent;--mine:#dff3ef;
 --mine-line:#b5dcd4;--link:#0b5cad;--bad:#a1160f;--told:#fff4ce;--told-text:#4a3500;--focus:#1a73e8;color-scheme:light`
const DARK = `--bg:#1e2328;--text:#e6e9ec;--low:#14181c;--line:#3a424a;--quiet:#b3bcc5;--edge:#8a949e;--rim:#ffffff59;--mine:#123f39;
 --mine-line:#2b6a60;--link:#9cc4ff;--bad:#ffb4ab;--told:#3f3200;--told-text:#ffe08a;--focus:#9cc4ff;color-scheme:dark`

/**
 * The widget's own look, shut off from the page's by a shadow root. Built as a style sheet object, which no policy forbids. Dark where
 * the visitor prefers it, or as the page says (`data-scheme`).
 */
export const STYLE = `
:host{all:initial;--c:#00695c;--ink:#fff;${LIGHT}}
@media (prefers-color-scheme:dark){:host(:not([data-scheme=light])){${DARK}}}
:host([data-scheme=dark]){${DARK}}
*{box-sizing:border-box;font:inherit}
strong{font-weight:700}
.root{font:16px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;color:var(--text)}
button{cursor:pointer;border:0;background:none;color:inherit;padding:0}
:focus-visible{outline:3px solid var(--focus);outline-offset:2px}
header :focus-visible{outline-color:var(--ink);outline-offset:-4px}
svg{fill:none;stroke:currentColor;stroke-width:2;stroke-linecap:round;stroke-linejoin:round;display:block}
.launcher{position:fixed;right:20px;bottom:20px;width:58px;height:58px;border-radius:50%;background:var(--c);color:var(--ink);
 border:1px solid var(--rim);display:grid;place-items:center;box-shadow:0 4px 14px #0005;z-index:2147483000}
.count{position:absolute;top:-4px;right:-4px;min-width:22px;height:22px;border-radius:11px;background:#b3261e;color:#fff;
 font-size:13px;font-weight:600;line-height:22px;padding:0 6px;text-align:center}
.panel{position:fixed;right:20px;bottom:90px;width:380px;height:min(620px,calc(100vh - 110px));background:var(--bg);border-radius:14px;
 box-shadow:0 0 0 1px var(--rim),0 8px 34px #0006;display:flex;flex-direction:column;overflow:hidden;z-index:2147483001}
[hidden]{display:none!important}
.middle{display:contents}
header{background:var(--c);color:var(--ink);border-bottom:1px solid var(--rim);padding:12px 12px 12px 16px;display:flex;
 align-items:center;gap:8px}
header h2{margin:0;font-size:17px;font-weight:600}
header p{margin:0;font-size:13px}
header div{flex:1;min-width:0}
.icon{width:44px;height:44px;display:grid;place-items:center;border-radius:50%;flex:none}
.status{background:var(--told);color:var(--told-text);font-size:13px;padding:6px 16px}
.log{flex:1;overflow-y:auto;background:var(--low)}
.log:focus-visible{outline-offset:-3px}
.list{padding:14px;display:flex;flex-direction:column;gap:8px;list-style:none;margin:0}
.one{max-width:84%;padding:8px 12px;border-radius:12px;background:var(--bg);border:1px solid var(--line);align-self:flex-start;
 overflow-wrap:anywhere;white-space:pre-wrap}
.one.mine{align-self:flex-end;background:var(--mine);border-color:var(--mine-line)}
.who{font-size:12px;font-weight:600;color:var(--quiet);display:block}
.when{font-size:12px;color:var(--quiet);display:block;text-align:right}
.one.big{font-size:28px}
.one img{display:block;max-width:100%;max-height:260px;border-radius:8px;margin:4px 0}
.one a,.file{color:var(--link);text-decoration:underline}
.file{padding:4px 0;min-height:28px;text-align:left}
.bad{color:var(--bad);font-size:13px}
.bad button{text-decoration:underline;padding:4px;min-height:28px}
.options{display:flex;flex-wrap:wrap;gap:8px;padding:0 0 4px;list-style:none;margin:0}
.options button,.second{border:1px solid var(--edge);border-radius:18px;padding:7px 14px;min-height:36px;background:var(--bg);color:var(--text)}
.compose{display:flex;align-items:flex-end;gap:4px;padding:8px;border-top:1px solid var(--line);background:var(--bg)}
textarea,input{width:100%;border:1px solid var(--edge);border-radius:10px;padding:9px 12px;background:var(--bg);color:var(--text);
 font-size:16px}
::placeholder{color:var(--quiet);opacity:1}
textarea{resize:none;min-height:44px;max-height:130px}
.send{background:var(--c);color:var(--ink);border:1px solid var(--rim)}
.body{flex:1;overflow-y:auto;padding:18px;display:flex;flex-direction:column;gap:12px}
.body h3{margin:0;font-size:17px;font-weight:600}
.body p{margin:0}
label{display:block;font-size:14px;font-weight:600}
label input,label textarea{margin-top:4px;font-weight:400}
.main{background:var(--c);color:var(--ink);border:1px solid var(--rim);border-radius:22px;padding:10px 18px;min-height:44px;font-weight:600}
.row{display:flex;gap:10px;flex-wrap:wrap}
.quiet{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.links{padding:0 14px 6px;background:var(--bg);font-size:14px}
.links button{text-decoration:underline;min-height:28px}
@media (max-width:480px){.panel{inset:0;width:auto;height:auto;border-radius:0}.panel:not([hidden])~.launcher{display:none}}
@media (prefers-reduced-motion:no-preference){.panel{animation:in .16s ease-out}@keyframes in{from{transform:translateY(12px)}}}
@media (forced-colors:active){.launcher,.main,.send,.one{border:1px solid}}
`
