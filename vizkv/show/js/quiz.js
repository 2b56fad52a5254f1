// Questions for one person: what was answered is kept in the browser, and the score of it.

export class Score {
  constructor(id) {
    this.key = `vizkv-answers-${id}`;
    try {
      this.given = JSON.parse(localStorage.getItem(this.key) ?? "{}") ?? {};
    } catch {
      this.given = {};
    }
  }

  of(beat, question) {
    return this.given[`${beat}.${question}`] ?? null;
  }

  put(beat, question, value) {
    this.given[`${beat}.${question}`] = value;
    this.keep();
  }

  clear() {
    this.given = {};
    this.keep();
  }

  keep() {
    try {
      localStorage.setItem(this.key, JSON.stringify(this.given));
    } catch { /* a browser that keeps nothing */ }
  }

  /** {answered, right} */
  count(beats) {
    let [answered, right] = [0, 0];
    beats.forEach((beat, b) => beat.questions.forEach((question, q) => {
      const value = this.of(b, q);
      answered += value !== null;
      right += value === question.answer;
    }));
    return {answered, right};
  }
}
