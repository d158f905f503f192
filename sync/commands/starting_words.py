"""What columns are called, in English, Norwegian, Swedish, Danish and German, and in directories.

Names are compared without case, accents and punctuation: `E-post`, `e_post` and `EPOST` are one.
"""

import unicodedata
from collections.abc import Iterable, Mapping
from typing import Final

from sync.model import Kind

_LETTERS: Final = str.maketrans({"ø": "o", "æ": "ae", "ß": "ss", "ð": "d", "þ": "th", "đ": "d", "ł": "l"})

WORDS: Final[Mapping[str, str]] = {
    # People
    "student_no": """studentnumber studentno studentnr studentid studentnummer studentidnumber studentidentifier studno
        studnr studnummer learnerid learnerno learnernumber studienummer studienr studerendeid studerendenr
        matriculationnumber matriculationno matrikelnummer matrikelnr matrikel matrnr noredupersonlin
        schacpersonaluniquecode""",
    "employee_no": """employeenumber employeeno employeenr employeeid staffno staffnumber staffid teacherid
        ansattnummer ansattnr ansattid medarbejdernummer medarbejdernr medarbejderid anstallningsnummer anstallningsnr
        anstnr personalnummer personalnr mitarbeiternummer mitarbeiternr mitarbeiterid""",
    "login": """username userid login loginname loginid uid samaccountname netid accountname preferredusername
        brukernavn brukarnamn brukerid bruker anvandarnamn anvandarid anvandare brugernavn brugerid bruger benutzername
        benutzerkennung benutzerid benutzer anmeldename kennung konto kontonavn user""",
    "external": """externalid edupersonprincipalname eppn userprincipalname upn feide feideid feidename feidenavn
        feidebrukernavn eksternid externid edupersonuniqueid subjectid eduid""",
    "given": "givenname firstname given forename fornavn fornamn vorname",
    "family": """familyname lastname surname family sn etternavn etternamn efternavn efternamn nachname familienname
        slektsnavn zuname""",
    "full_name": "fullname displayname cn commonname fulltnavn fulltnamn personnavn studentnavn studentname",
    "email": """email mail emailaddress mailaddress epost epostadresse epostadress emailadresse mailadresse mailadress
        studentmail studentemail rfc822mailbox""",
    "auth_system": "authsystem authenticationsystem authmethod loginby innloggingssystem",
    "status": "status studentstatus",
    "password": """password firstpassword initialpassword passord losenord adgangskode kodeord passwort kennwort pwd
        userpassword""",
    "national_id": """fodselsnummer fodselsnr fnr personnummer personnr cpr cprnr cprnummer nin ssn nationalid
        nationalidnumber noredupersonnin pnr hetu henkilotunnus socialsecuritynumber""",
    # Tests
    "test_id": """testid externaltestid examid exameventid eventid examkey examno examnumber eksamenid eksamensid
        eksamensnr provid provnummer proveid tentamensid tentaid prufungsid pruefungsid prufungsnr pruefungsnr""",
    "course": """course coursecode courseid courseno coursenumber coursekey subjectcode modulecode moduleid unitcode
        emnekode emne kurskod kurskode kurs kursid kursnummer kursuskode kursus kursusnummer fagkode fag modulkode
        modulnummer modul modulid lvnummer lvnr veranstaltungsnummer fachnummer examcode eksamenskode tentamenskod
        tentakod provkod prufungscode pruefungscode""",
    "term": "term semester termin termcode semesterkode semesterkod terminskode studiensemester periode",
    "title": """title tittel titel testtitle testname examtitle examname eventname coursename coursetitle subjectname
        emnenavn emnenamn kursnamn kursnavn kursusnavn kursname kurstitel kursbezeichnung fagnavn eksamensnavn
        eksamensnamn tentamensnamn benamning prufungsname pruefungsname prufungstitel pruefungstitel modulname
        modulnavn modultitel bezeichnung""",
    "start": """start starts startdatetime startsat startat begin begins opens opentime examstart starttidspunkt
        starttidpunkt starter beginn anfang oppstart""",
    "start_date": "startdate startdato startdatum",
    "start_time": "starttime starttid startzeit klokkeslett klokkeslaet klockslag uhrzeit",
    "end": """end ends enddatetime endsat endat until closes closetime examend slutt slut ende sluttidspunkt
        sluttidpunkt slutter""",
    "end_date": "enddate sluttdato slutdato slutdatum enddatum",
    "end_time": "endtime sluttid slutttid endzeit",
    "date": "date dato datum examdate eksamensdato tentamensdatum provdatum prufungsdatum pruefungsdatum",
    "duration": """duration durationminutes durationinminutes minutes length lengthminutes varighet varighetminutter
        varighetiminutter minutter varighed varighedminutter langd skrivtid minuter provtid dauer dauerminuten minuten
        bearbeitungszeit prufungsdauer pruefungsdauer arbeidstid workingtime""",
    "hours": "hours durationhours timer varighettimer varighedtimer timmar stunden dauerstunden",
    "template": "template templateid mal malid skabelon mall vorlage",
    # Seats and duties
    "candidate_id": """candidateid candidateno candidatenumber candidatenr kandidatnummer kandidatnr kandidatid kandnr
        anonymousid anonymnummer anonymkod anonymkode anonymid""",
    "extra_time": """extratime extra extraminutes extratimeminutes additionaltime additionalminutes ekstratid ekstra
        ekstraminutter ekstratidminutter tilleggstid utvidettid forlengettid extratid extratidminuter forlangdtid
        utokadskrivtid zusatzzeit zeitzuschlag zeitverlangerung zeitverlaengerung""",
    "room": "room roomname examroom rom eksamensrom lokale eksamenslokale lokal sal skrivsal rum raum saal venue",
    "building": "building bygning bygg byggnad gebaude gebaeude house hus",
    "committee": """committee committees gradingcommittee komite kommisjon sensorkommisjon kommission kommitte namnd
        prufungsausschuss pruefungsausschuss""",
    "role": "role roles rolle roller roll rollen duty duties funksjon funktion",
}  # fmt: skip
"""What a column can mean, each with the names it goes by, the likeliest first."""

_TESTS: Final = "test exam eksamen tentamen prove prov prufung pruefung klausur"

GENERIC: Final[Mapping[Kind, Mapping[str, str]]] = {
    Kind.LEARNER: {"student_no": "id number no nr nummer", "full_name": "name navn namn", "external": "sub"},
    Kind.STAFF: {"employee_no": "id number no nr nummer", "full_name": "name navn namn", "external": "sub"},
    Kind.TEST: {
        "test_id": f"id number no nr nummer {_TESTS}",
        "course": "code kode kod",
        "title": "name navn namn description beskrivelse beskrivning beschreibung",
    },
    Kind.CANDIDATE: {
        "test_id": _TESTS,
        "student_no": "student learner person kandidat candidate studerende",
        "candidate_id": "number no nr nummer",
    },
    Kind.CONTRIBUTOR: {"test_id": _TESTS, "employee_no": "employee staff ansatt medarbejder mitarbeiter person id"},
}
"""Names that say something only where it is known what the rows are about."""

HINTS: Final[Mapping[Kind, str]] = {
    Kind.CONTRIBUTOR: "contributor grader sensor censor invigilator duties examiner bedommer",
    Kind.CANDIDATE: """registration candidate enrol enroll kandidat oppmelding tilmelding anmalan anmalning anmeldung
        seat pamelding""",
    Kind.STAFF: "staff employee teacher ansatt tilsatt medarbejder anstalld mitarbeiter personal laerer larare",
    Kind.LEARNER: "student learner pupil elev studerende studierende",
    Kind.TEST: "exam test eksamen tentamen tenta prove prufung pruefung klausur",
}
"""Parts of the names of files and tables that say what is in them, the surest first."""


def plain(name: str) -> str:
    """The name as it is compared: lower case, without accents, and nothing but letters and digits."""
    folded = unicodedata.normalize("NFKD", name.casefold().translate(_LETTERS))
    return "".join(character for character in folded if character.isalnum())


def meanings(columns: Iterable[str], words: Mapping[str, str]) -> dict[str, str]:
    """The column for each meaning, by these words; of several the one with the likeliest name."""
    by_plain: dict[str, str] = {}
    for column in columns:
        by_plain.setdefault(plain(column), column)
    found: dict[str, str] = {}
    for meaning, names in words.items():
        match = next((by_plain[name] for name in names.split() if name in by_plain), None)
        if match is not None:
            found[meaning] = match
    return found


def hinted(name: str) -> Kind | None:
    """What a file or table of this name is likely to hold, if its name says so."""
    text = plain(name)
    return next((kind for kind, parts in HINTS.items() if any(part in text for part in parts.split())), None)
