"""Names of columns in six languages, in directories and in learning platforms.

The languages are English, Norwegian, Swedish, Danish, German and Dutch. Names
are compared without case, accents and punctuation: `E-post`, `e_post` and `EPOST` are one.
"""

import unicodedata
from collections.abc import Iterable, Mapping
from typing import Final

from sync.records.base import Kind

_LETTERS: Final = str.maketrans(
    {"ø": "o", "æ": "ae", "ß": "ss", "ð": "d", "þ": "th", "đ": "d", "ł": "l"}
)

WORDS: Final[Mapping[str, str]] = {
    # People
    "student_no": """studentnumber studentno studentnr studentid studentnummer studentidnumber
        studentidentifier studno studnr studnummer learnerid learnerno learnernumber
        studienummer studienr studerendeid studerendenr matriculationnumber matriculationno
        matrikelnummer matrikelnr matrikel matrnr noredupersonlin schacpersonaluniquecode
        studentennummer leerlingnummer""",
    "employee_no": """employeenumber employeeno employeenr employeeid staffno staffnumber
        staffid teacherid ansattnummer ansattnr ansattid medarbejdernummer medarbejdernr
        medarbejderid anstallningsnummer anstallningsnr anstnr personalnummer personalnr
        mitarbeiternummer mitarbeiternr mitarbeiterid personeelsnummer personeelsnr
        medewerkernummer medewerkersnummer medewerkernr""",
    "person_key": "externalpersonkey externaluserkey sisuserid sourcedid personkey personid",
    "login": """username login loginname loginid uid samaccountname netid accountname
        preferredusername brukernavn brukarnamn brukerid bruker anvandarnamn anvandarid
        anvandare brugernavn brugerid bruger benutzername benutzerkennung benutzerid benutzer
        anmeldename kennung konto kontonavn user gebruikersnaam gebruikerscode inlognaam
        inlogcode gebruiker""",
    "user_id": "userid",
    "external": """externalid edupersonprincipalname eppn userprincipalname upn feide feideid
        feidename feidenavn feidebrukernavn eksternid externid edupersonuniqueid subjectid eduid""",
    "given": """givenname firstname given forename fornavn fornamn vorname voornaam voornamen
        roepnaam""",
    "family": """familyname lastname surname family sn etternavn etternamn efternavn efternamn
        nachname familienname slektsnavn zuname achternaam geslachtsnaam""",
    "full_name": """fullname displayname cn commonname fulltnavn fulltnamn personnavn
        studentnavn studentname volledigenaam weergavenaam""",
    "email": """email mail emailaddress mailaddress epost epostadresse epostadress emailadresse
        mailadresse mailadress studentmail studentemail rfc822mailbox mailadres emailadres""",
    "middle": """middlename tussenvoegsel tussenvoegsels voorvoegsel voorvoegsels mellomnavn
        mellannamn mellemnavn""",
    "person_role": """institutionrole primaryrole affiliation edupersonaffiliation usertype
        persontype""",
    "auth_system": "authsystem authenticationsystem authmethod loginby innloggingssystem",
    "status": "status studentstatus studiestatus",
    "password": """password firstpassword initialpassword passord losenord adgangskode kodeord
        passwort kennwort pwd userpassword passwd wachtwoord""",
    "national_id": """fodselsnummer fodselsnr fnr personnummer personnr cpr cprnr cprnummer nin
        ssn nationalid nationalidnumber noredupersonnin pnr hetu henkilotunnus
        socialsecuritynumber bsn burgerservicenummer sofinummer""",
    # Tests
    "test_id": """testid externaltestid examid exameventid eventid examkey examno examnumber
        eksamenid eksamensid eksamensnr provid provnummer proveid tentamensid tentaid prufungsid
        pruefungsid prufungsnr pruefungsnr toetsid toetscode toetsnummer tentamencode
        tentamennummer""",
    "course": """course coursecode courseid courseno coursenumber coursekey subjectcode
        modulecode moduleid unitcode emnekode emne kurskod kurskode kurs kursid kursnummer
        kursuskode kursus kursusnummer fagkode fag modulkode modulnummer modul modulid lvnummer
        lvnr veranstaltungsnummer fachnummer examcode eksamenskode tentamenskod tentakod provkod
        prufungscode pruefungscode externalcoursekey vakcode vak cursuscode cursus cursusid""",
    "term": """term semester termin termcode semesterkode semesterkod terminskode
        studiensemester periode collegejaar studiejaar""",
    "title": """title tittel titel testtitle testname examtitle examname eventname coursename
        coursetitle subjectname emnenavn emnenamn kursnamn kursnavn kursusnavn kursname
        kurstitel kursbezeichnung fagnavn eksamensnavn eksamensnamn tentamensnamn benamning
        prufungsname pruefungsname prufungstitel pruefungstitel modulname modulnavn modultitel
        bezeichnung toetsnaam tentamennaam vaknaam cursusnaam titelvandetoets""",
    "start": """start starts startdatetime startsat startat begin begins opens opentime
        examstart starttidspunkt starttidpunkt starter beginn anfang oppstart begintijdstip
        aanvang aanvangstijd""",
    "start_date": "startdate startdato startdatum",
    "start_time": """starttime starttid startzeit klokkeslett klokkeslaet klockslag uhrzeit
        begintijd starttijd""",
    "end": """end ends enddatetime endsat endat until closes closetime examend slutt slut ende
        sluttidspunkt sluttidpunkt slutter eindtijdstip einde""",
    "end_date": "enddate sluttdato slutdato slutdatum enddatum",
    "end_time": "endtime sluttid slutttid endzeit eindtijd",
    "date": """date dato datum examdate eksamensdato tentamensdatum provdatum prufungsdatum
        pruefungsdatum toetsdatum tentamendatum""",
    "duration": """duration durationminutes durationinminutes minutes length lengthminutes
        varighet varighetminutter varighetiminutter minutter varighed varighedminutter langd
        skrivtid minuter provtid dauer dauerminuten minuten bearbeitungszeit prufungsdauer
        pruefungsdauer arbeidstid workingtime duur toetsduur tijdsduur duurminuten""",
    "hours": "hours durationhours timer varighettimer varighedtimer timmar stunden dauerstunden",
    "template": "template templateid mal malid skabelon mall vorlage",
    # Seats and duties
    "candidate_id": """candidateid candidateno candidatenumber candidatenr kandidatnummer
        kandidatnr kandidatid kandnr anonymousid anonymnummer anonymkod anonymkode anonymid
        kandidaatnummer""",
    "extra_time": """extratime extra extraminutes extratimeminutes additionaltime
        additionalminutes ekstratid ekstra ekstraminutter ekstratidminutter tilleggstid
        utvidettid forlengettid extratid extratidminuter forlangdtid utokadskrivtid zusatzzeit
        zeitzuschlag zeitverlangerung zeitverlaengerung extratijd verlenging tijdverlenging""",
    "room": """room roomname examroom rom eksamensrom lokale eksamenslokale lokal sal skrivsal
        rum raum saal venue zaal lokaal ruimte""",
    "building": "building bygning bygg byggnad gebaude gebaeude hus gebouw",
    "committee": """committee committees gradingcommittee komite kommisjon sensorkommisjon
        kommission kommitte namnd prufungsausschuss pruefungsausschuss commissie""",
    "role": "role roles rolle roller roll rollen duty duties funksjon funktion rol",
}  # fmt: skip
"""What a column can mean, each with the names it goes by, the likeliest first."""

_TESTS: Final = "test exam eksamen tentamen prove prov prufung pruefung klausur toets"

GENERIC: Final[Mapping[Kind, Mapping[str, str]]] = {
    Kind.LEARNER: {
        "student_no": "id number no nr nummer",
        "full_name": "name navn namn naam",
        "external": "sub",
    },
    Kind.STAFF: {
        "employee_no": "id number no nr nummer",
        "full_name": "name navn namn naam",
        "external": "sub",
    },
    Kind.TEST: {
        "test_id": f"id number no nr nummer {_TESTS}",
        "course": "code kode kod",
        "title": """name navn namn naam description omschrijving beskrivelse beskrivning
        beschreibung""",
    },
    Kind.CANDIDATE: {
        "test_id": _TESTS,
        "student_no": "student learner person kandidat candidate studerende deelnemer",
        "candidate_id": "number no nr nummer",
    },
    Kind.CONTRIBUTOR: {
        "test_id": _TESTS,
        "employee_no": "employee staff ansatt medarbejder mitarbeiter person id",
    },
}
"""Names that say something only where it is known what the rows are about."""

HINTS: Final[Mapping[Kind, str]] = {
    Kind.CONTRIBUTOR: "contributor grader sensor censor invigilator duties examiner bedommer",
    Kind.CANDIDATE: """registration candidate enrol enroll kandidat oppmelding tilmelding
        anmalan anmalning anmeldung seat pamelding inschrijving aanmelding deelnemer""",
    Kind.STAFF: """staff employee teacher ansatt tilsatt medarbejder anstalld mitarbeiter
        personal laerer larare medewerker docent personeel""",
    Kind.LEARNER: "student learner pupil elev studerende studierende leerling",
    Kind.TEST: "exam test eksamen tentamen tenta prove prufung pruefung klausur toets",
}
"""Parts of the names of files and tables that say what is in them, the surest first."""


def plain(name: str) -> str:
    """Return the name as it is compared: lower case, without accents, only letters and digits."""
    folded = unicodedata.normalize("NFKD", name.casefold().translate(_LETTERS))
    return "".join(character for character in folded if character.isalnum())


def meanings(columns: Iterable[str], words: Mapping[str, str]) -> dict[str, str]:
    """Return the column for each meaning, by these words; of several the likeliest."""
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
    """Return what a file or table of this name is likely to hold, if its name shows it."""
    text = plain(name)
    return next(
        (kind for kind, parts in HINTS.items() if any(part in text for part in parts.split())), None
    )


def rivals(columns: Iterable[str], meaning: str) -> tuple[str, ...]:
    """Return the columns that would all do for a meaning, the likeliest first."""
    names = WORDS[meaning].split()
    found = {plain(column): column for column in reversed(list(columns))}
    return tuple(found[name] for name in names if name in found)
