// Loaded before a broker: its clock is another one than that of the database.
const offBy = Number(process.env.CLOCK_OFF_BY);
const RightDate = Date;

globalThis.Date = class Date extends RightDate {
  constructor(...parts) {
    if (parts.length === 0) super(RightDate.now() + offBy);
    else super(...parts);
  }

  static now() {
    return RightDate.now() + offBy;
  }
};
