/**
 * Which helper of faker stands behind a name: the Kinesis Data Generator's names (faker 3 and 4) and the present ones.
 * Example: `address.city` of a KDG template is `location.city`.
 * Invariant: only what is in these tables can be called; each entry resolves on the installed faker (test/cli/gen.test.ts).
 */

/** KDG's name, then faker 10's. Where arguments changed too, `faker.ts` changes them. */
export const KDG_ALIASES: Readonly<Record<string, string>> = {
  'random.objectElement': 'helpers.objectValue',
  'random.word': 'word.sample',
  'random.words': 'word.words',
  'name.firstName': 'person.firstName',
  'name.lastName': 'person.lastName',
  'name.findName': 'person.fullName',
  'name.title': 'person.jobTitle',
  'name.prefix': 'person.prefix',
  'name.suffix': 'person.suffix',
  'name.jobTitle': 'person.jobTitle',
  'name.jobDescriptor': 'person.jobDescriptor',
  'name.jobArea': 'person.jobArea',
  'name.jobType': 'person.jobType',
  'address.zipCode': 'location.zipCode',
  'address.city': 'location.city',
  'address.streetName': 'location.street',
  'address.streetAddress': 'location.streetAddress',
  'address.secondaryAddress': 'location.secondaryAddress',
  'address.county': 'location.county',
  'address.country': 'location.country',
  'address.countryCode': 'location.countryCode',
  'address.state': 'location.state',
  'address.stateAbbr': 'location.state',
  'address.latitude': 'location.latitude',
  'address.longitude': 'location.longitude',
  'company.companyName': 'company.name',
  'company.bs': 'company.buzzPhrase',
  'company.bsBuzz': 'company.buzzVerb',
  'company.bsAdjective': 'company.buzzAdjective',
  'company.bsNoun': 'company.buzzNoun',
  'finance.account': 'finance.accountNumber',
  'internet.userName': 'internet.username',
  'internet.avatar': 'image.avatar',
  'internet.color': 'color.rgb',
  'commerce.color': 'color.human',
  'phone.phoneNumber': 'phone.number',
  'phone.phoneNumberFormat': 'phone.number'
}

/** Modules and helpers that may be called by their own names. */
const PRESENT: Readonly<Record<string, string>> = {
  person: 'firstName lastName middleName fullName gender sex bio prefix suffix jobTitle jobDescriptor jobArea jobType',
  location:
    'zipCode city buildingNumber street streetAddress secondaryAddress county country countryCode state latitude longitude timeZone',
  company:
    'name catchPhrase buzzPhrase catchPhraseAdjective catchPhraseDescriptor catchPhraseNoun buzzVerb buzzAdjective buzzNoun',
  internet:
    'email exampleEmail username displayName protocol httpMethod httpStatusCode url domainName domainSuffix domainWord ip ipv4 ipv6 port userAgent mac password emoji',
  finance:
    'accountNumber accountName routingNumber amount transactionType currencyCode currencyName currencySymbol creditCardNumber iban bic pin',
  commerce: 'department productName price productAdjective productMaterial product',
  lorem: 'word words sentence slug sentences paragraph paragraphs text lines',
  hacker: 'abbreviation adjective noun verb ingverb phrase',
  date: 'past future between recent month weekday',
  system: 'fileName mimeType commonFileType commonFileExt fileType fileExt filePath semver',
  phone: 'number imei',
  color: 'human rgb',
  image: 'avatar url',
  word: 'adjective adverb noun verb sample words',
  number: 'int float',
  string: 'alpha alphanumeric numeric uuid ulid nanoid',
  datatype: 'boolean',
  vehicle: 'vehicle manufacturer model type fuel vin color',
  helpers: 'arrayElement objectValue slugify shuffle',
  science: 'unit chemicalElement'
}

/** Every name that a template may use of faker, and the helper behind it. */
export const FAKER_NAMES: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    Object.entries(PRESENT).flatMap(([module, names]) =>
      names.split(' ').map(name => [`${module}.${name}`, `${module}.${name}`])
    )
  ),
  ...KDG_ALIASES
}

/** Names of the Kinesis Data Generator that faker 10 has nothing for. */
export const NO_EQUIVALENT: ReadonlySet<string> = new Set(
  [
    'address.cityPrefix address.citySuffix address.streetPrefix address.streetSuffix',
    'company.suffixes company.companySuffix phone.phoneFormats',
    'helpers.createCard helpers.contextualCard helpers.userCard helpers.createTransaction helpers.mustache',
    'random.image random.locale'
  ].flatMap(names => names.split(' '))
)
