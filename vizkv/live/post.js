// What the browser tells Python. One letter is under way at a time, so that the server is asked no faster than it can
// answer: of a knob that is turned meanwhile only the last value follows. While something is computed we ask for more.

const ASK_AFTER = 25; // ms between an answer and the next question: the server waits for something new
const LOST_AFTER = 1500; // ms without an answer
const REMEMBERED = 8; // letters that are repeated: Streamlit may pass over one that is followed at once

export class Post {
  constructor() {
    this.letters = []; // as they were sent: {n, what, ...}
    this.waiting = []; // to be sent
    this.last = 0;
    this.answered = 0;
  }

  /** Nothing that was said is without an answer. */
  get free() {
    return this.waiting.length === 0 && this.answered >= this.last;
  }

  tell(what, more = {}) {
    // the same knob again, or the same question: the newer one counts
    this.waiting = this.waiting.filter((letter) => letter.what !== what || letter.name !== more.name);
    this.waiting.push({what, ...more});
    this.send();
  }

  send() {
    if (!this.waiting.length || !this.deliver) return;
    if (this.answered < this.last && performance.now() - this.sentAt < LOST_AFTER) return;
    for (const letter of this.waiting) {
      this.last = Math.max(Date.now(), this.last + 1);
      this.letters.push({n: this.last, ...letter});
    }
    this.waiting = [];
    this.letters = this.letters.slice(-REMEMBERED);
    this.sentAt = performance.now();
    this.deliver(this.letters);
    clearTimeout(this.watch);
    this.watch = setTimeout(() => this.lost(), LOST_AFTER);
  }

  lost() {
    if (this.answered < this.last) this.tell("more");
  }

  /** An answer to letter `n` has come; `more`: whether something is still being computed. */
  answer(n, more) {
    this.answered = Math.max(this.answered, n);
    this.send();
    clearTimeout(this.asking);
    if (more) this.asking = setTimeout(() => this.free && this.tell("more"), ASK_AFTER);
  }

  rest() {
    clearTimeout(this.watch);
    clearTimeout(this.asking);
  }
}
