"""What the name of a column, a file or a table means, in six languages and in common systems.

The languages are English, Norwegian, Swedish, Danish, German and Dutch. The systems are directories
and learning platforms. Names are compared without case, accents and punctuation: `E-post`, `e_post`
and `EPOST` are one name.
"""

import unicodedata
from collections.abc import Iterable, Mapping
from typing import Final

from sync.records.base import Kind

_LETTERS: Final = str.maketrans(
    {"ø": "o", "æ": "ae", "ß": "ss", "ð": "d", "þ": "th", "đ": "d", "ł": "l"}
)


def plain(name: str) -> str:
    """Return the name as it is compared: lower case, without accents, only letters and digits."""
    folded = unicodedata.normalize("NFKD", name.casefold().translate(_LETTERS))
    return "".join(character for character in folded if character.isalnum())


_SYNONYMS: Final[Mapping[str, str]] = {
    # People
    "student_no": """studentnumber studentnr studentid studentnummer studentidnumber
        studentidentifier studno studnr studnummer learnerid learnerno learnernumber
        studienummer studienr studerendeid studerendenr matriculationnumber matriculationno
        matrikelnummer matrikelnr matrikel matrnr noredupersonlin schacpersonaluniquecode
        studentennummer leerlingnummer""",
    "employee_no": """employeenumber employeenr employeeid staffno staffnumber staffid teacherid
        ansattnummer ansattnr ansattid medarbejdernummer medarbejdernr medarbejderid
        anstallningsnummer anstallningsnr anstnr personalnummer personalnr mitarbeiternummer
        mitarbeiternr mitarbeiterid personeelsnummer personeelsnr medewerkernummer
        medewerkersnummer medewerkernr""",
    "person_key": "externalpersonkey externaluserkey sisuserid sourcedid personid",
    "username": """login loginname loginid uid samaccountname netid accountname
        preferredusername brukernavn brukarnamn brukerid bruker anvandarnamn anvandarid
        anvandare brugernavn brugerid bruger benutzername benutzerkennung benutzerid benutzer
        anmeldename kennung konto kontonavn user gebruikersnaam gebruikerscode inlognaam
        inlogcode gebruiker""",
    "user_id": "",
    "external_id": """edupersonprincipalname eppn userprincipalname upn feide feideid feidename
        feidenavn feidebrukernavn eksternid externid edupersonuniqueid subjectid eduid""",
    "first_name": "givenname given forename fornavn fornamn vorname voornaam voornamen roepnaam",
    "last_name": """familyname surname family sn etternavn etternamn efternavn efternamn
        nachname familienname slektsnavn zuname achternaam geslachtsnaam""",
    "full_name": """displayname cn commonname fulltnavn fulltnamn personnavn studentnavn
        studentname volledigenaam weergavenaam""",
    "email": """mail emailaddress mailaddress epost epostadresse epostadress emailadresse
        mailadresse mailadress studentmail studentemail rfc822mailbox mailadres emailadres""",
    "middle_name": """tussenvoegsel tussenvoegsels voorvoegsel voorvoegsels mellomnavn
        mellannamn mellemnavn""",
    "institution_role": "primaryrole affiliation edupersonaffiliation usertype persontype",
    "auth_system": "authenticationsystem authmethod loginby innloggingssystem",
    "status": "studentstatus studiestatus",
    "password": """firstpassword initialpassword passord losenord adgangskode kodeord passwort
        kennwort pwd userpassword passwd wachtwoord""",
    "national_id": """fodselsnummer fodselsnr fnr personnummer personnr cpr cprnr cprnummer nin
        ssn nationalidnumber noredupersonnin pnr hetu henkilotunnus socialsecuritynumber bsn
        burgerservicenummer sofinummer""",
    # Tests
    "external_test_id": """testid examid exameventid eventid examkey examno examnumber eksamenid
        eksamensid eksamensnr provid provnummer proveid tentamensid tentaid prufungsid
        pruefungsid prufungsnr pruefungsnr toetsid toetscode toetsnummer tentamencode
        tentamennummer""",
    "course": """coursecode courseid courseno coursenumber coursekey subjectcode modulecode
        moduleid unitcode emnekode emne kurskod kurskode kurs kursid kursnummer kursuskode
        kursus kursusnummer fagkode fag modulkode modulnummer modul modulid lvnummer lvnr
        veranstaltungsnummer fachnummer examcode eksamenskode tentamenskod tentakod provkod
        prufungscode pruefungscode externalcoursekey vakcode vak cursuscode cursus cursusid""",
    "term": """semester termin termcode semesterkode semesterkod terminskode studiensemester
        periode collegejaar studiejaar""",
    "title": """tittel titel testtitle testname examtitle examname eventname coursename
        coursetitle subjectname emnenavn emnenamn kursnamn kursnavn kursusnavn kursname
        kurstitel kursbezeichnung fagnavn eksamensnavn eksamensnamn tentamensnamn benamning
        prufungsname pruefungsname prufungstitel pruefungstitel modulname modulnavn modultitel
        bezeichnung toetsnaam tentamennaam vaknaam cursusnaam titelvandetoets""",
    "start": """starts startdatetime startsat startat begin begins opens opentime examstart
        starttidspunkt starttidpunkt starter beginn anfang oppstart begintijdstip aanvang
        aanvangstijd""",
    "start_date": "startdato startdatum",
    "start_time": """starttid startzeit klokkeslett klokkeslaet klockslag uhrzeit begintijd
        starttijd""",
    "end": """ends enddatetime endsat endat until closes closetime examend slutt slut ende
        sluttidspunkt sluttidpunkt slutter eindtijdstip einde""",
    "end_date": "sluttdato slutdato slutdatum enddatum",
    "end_time": "sluttid slutttid endzeit eindtijd",
    "date": """dato datum examdate eksamensdato tentamensdatum provdatum prufungsdatum
        pruefungsdatum toetsdatum tentamendatum""",
    "duration": """durationminutes durationinminutes minutes length lengthminutes varighet
        varighetminutter varighetiminutter minutter varighed varighedminutter langd skrivtid
        minuter provtid dauer dauerminuten minuten bearbeitungszeit prufungsdauer pruefungsdauer
        arbeidstid workingtime duur toetsduur tijdsduur duurminuten""",
    "hours": "durationhours timer varighettimer varighedtimer timmar stunden dauerstunden",
    "template": "templateid mal malid skabelon mall vorlage",
    # What is on a test
    "candidate_id": """candidateno candidatenumber candidatenr kandidatnummer kandidatnr
        kandidatid kandnr anonymousid anonymnummer anonymkod anonymkode anonymid kandidaatnummer""",
    "extra_time": """extra extraminutes extratimeminutes additionaltime additionalminutes
        ekstratid ekstra ekstraminutter ekstratidminutter tilleggstid utvidettid forlengettid
        extratid extratidminuter forlangdtid utokadskrivtid zusatzzeit zeitzuschlag
        zeitverlangerung zeitverlaengerung extratijd verlenging tijdverlenging""",
    "room": """roomname examroom rom eksamensrom lokale eksamenslokale lokal sal skrivsal rum
        raum saal venue zaal lokaal ruimte""",
    "building": "bygning bygg byggnad gebaude gebaeude hus gebouw",
    "committees": """committee gradingcommittee komite kommisjon sensorkommisjon kommission
        kommitte namnd prufungsausschuss pruefungsausschuss commissie""",
    "roles": "role rolle roller roll rollen duty duties funksjon funktion rol",
}  # fmt: skip
"""Other names for each meaning, the likeliest first.

The meaning of a column that holds a record's field is the field's name, as in `sync.records`.
"""

NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    meaning: (plain(meaning), *names.split()) for meaning, names in _SYNONYMS.items()
}
"""What a column can mean, each with all its names, the likeliest first."""

_NUMBER: Final = ("id", "number", "no", "nr", "nummer")
_TEST: Final = ("test", "exam", "eksamen", "tentamen", "prove", "prov", "prufung", "pruefung",
                "klausur", "toets")  # fmt: skip
_NAME: Final = ("name", "navn", "namn", "naam")

NAMES_BY_KIND: Final[Mapping[Kind, Mapping[str, tuple[str, ...]]]] = {
    Kind.LEARNER: {"student_no": _NUMBER, "full_name": _NAME, "external_id": ("sub",)},
    Kind.STAFF: {"employee_no": _NUMBER, "full_name": _NAME, "external_id": ("sub",)},
    Kind.TEST: {
        "external_test_id": (*_NUMBER, *_TEST),
        "course": ("code", "kode", "kod"),
        "title": (*_NAME, "description", "omschrijving", "beskrivelse", "beskrivning",
                  "beschreibung"),
    },
    Kind.CANDIDATE: {
        "external_test_id": _TEST,
        "student_no": ("student", "learner", "person", "kandidat", "candidate", "studerende",
                       "deelnemer"),
        "candidate_id": _NUMBER[1:],
    },
    Kind.CONTRIBUTOR: {
        "external_test_id": _TEST,
        "employee_no": ("employee", "staff", "ansatt", "medarbejder", "mitarbeiter", "person",
                        "id"),
    },
}  # fmt: skip
"""Names that mean something only if it is known what the rows are about."""

_HINTS: Final[Mapping[Kind, str]] = {
    Kind.CONTRIBUTOR: "contributor grader sensor censor invigilator duties examiner bedommer",
    Kind.CANDIDATE: """registration candidate enrol enroll kandidat oppmelding tilmelding
        anmalan anmalning anmeldung seat pamelding inschrijving aanmelding deelnemer""",
    Kind.STAFF: """staff employee teacher ansatt tilsatt medarbejder anstalld mitarbeiter
        personal laerer larare medewerker docent personeel""",
    Kind.LEARNER: "student learner pupil elev studerende studierende leerling",
    Kind.TEST: "exam test eksamen tentamen tenta prove prufung pruefung klausur toets",
}
"""Parts of the names of files and tables that say what is in them, the surest first."""


def columns_by_meaning(
    columns: Iterable[str], names: Mapping[str, tuple[str, ...]]
) -> dict[str, str]:
    """Return the column for each of these meanings; of several columns, the likeliest."""
    by_name = _by_plain_name(columns)
    found = {
        meaning: next((by_name[name] for name in names[meaning] if name in by_name), None)
        for meaning in names
    }
    return {meaning: column for meaning, column in found.items() if column is not None}


def columns_that_mean(meaning: str, columns: Iterable[str]) -> tuple[str, ...]:
    """Return all columns with this meaning, the likeliest first."""
    by_name = _by_plain_name(columns)
    return tuple(by_name[name] for name in NAMES.get(meaning, ()) if name in by_name)


def _by_plain_name(columns: Iterable[str]) -> dict[str, str]:
    return {plain(column): column for column in reversed(list(columns))}  # the first one stays


def kind_in_name(name: str) -> Kind | None:
    """Return the kind of record that a file or table of this name is likely to hold."""
    text = plain(name)
    return next(
        (kind for kind, parts in _HINTS.items() if any(part in text for part in parts.split())),
        None,
    )
