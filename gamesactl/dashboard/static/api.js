// The REST side: /api/v1. The token arrives in the fragment of the address, leaves the address bar at once, and is kept
// for this tab only.

const KEY = "gamesa-token";

function takeToken() {
  const found = new URLSearchParams(location.hash.slice(1)).get("token");
  if (found !== null) {
    sessionStorage.setItem(KEY, found);
    history.replaceState(null, "", location.pathname + location.search);
  }
  return sessionStorage.getItem(KEY);
}

export const token = takeToken();
const headers = token ? { "X-Gamesa-Token": token } : {};

/** What the server said no with: `message` is its sentence, `next` what to do. */
export class Refused extends Error {
  constructor(status, told) {
    super(told.error ?? `the dashboard answered ${status}`);
    this.status = status;
    this.next = told.what_next ?? "";
  }
}

async function answer(response) {
  if (response.ok) return response;
  let told = {};
  try {
    told = await response.json();
  } catch {
    // an answer without a document has its status only
  }
  throw new Refused(response.status, told);
}

function address(path, query = {}) {
  const found = new URL(`/api/v1${path}`, location.origin);
  for (const [key, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== null && one !== undefined && one !== "") found.searchParams.append(key, one);
    }
  }
  return found;
}

async function reach(where, options) {
  try {
    return await fetch(where, options);
  } catch {
    throw new Refused(0, { error: "the dashboard does not answer", what_next: "gamesactl dashboard starts it" });
  }
}

/** The document at `path`. Refused. */
export async function get(path, query, signal) {
  return (await answer(await reach(address(path, query), { headers, signal }))).json();
}

/** Asks for something to be done; its sentence. Refused. */
export async function act(method, path, body) {
  const asked = { method, headers: { ...headers } };
  if (body !== undefined) {
    asked.body = JSON.stringify(body);
    asked.headers["Content-Type"] = "application/json";
  }
  return (await (await answer(await reach(address(path), asked))).json()).done;
}

/** Saves what is at `path` as a file. */
export async function download(path, query, name) {
  save(await (await answer(await reach(address(path, query), { headers }))).blob(), name);
}

export function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
