/**
 * The languages of the console. The words of a feature are a namespace of their own, `locales/<language>/<namespace>.json`; those
 * of the frame and of signing in (`common`) come with the page in Portuguese, all others when they are asked for.
 */
import i18next from 'i18next'
import { initReactI18next } from 'react-i18next'
import common from '../locales/pt-BR/common.json'

export const LANGUAGES = { 'pt-BR': 'Português', en: 'English' } as const
export type Language = keyof typeof LANGUAGES

const CHOSEN = 'hub.language'

/** Every file of words by its path; Vite makes a chunk of each. */
const files = import.meta.glob<{ default: Record<string, unknown> }>([
  '../locales/*/*.json',
  '!../locales/pt-BR/common.json',
])
const loaded = new Set(['common'])

export async function startLanguage(): Promise<void> {
  await i18next.use(initReactI18next).init({
    lng: 'pt-BR',
    fallbackLng: 'pt-BR',
    defaultNS: 'common',
    ns: ['common'],
    resources: { 'pt-BR': { common } },
    interpolation: { escapeValue: false }, // React escapes
    partialBundledLanguages: true,
  })
  const chosen = localStorage.getItem(CHOSEN)
  if (chosen === 'en') await setLanguage('en')
  document.documentElement.lang = i18next.language
}

/** Show everything in this language, here and at the next visit. */
export async function setLanguage(language: Language): Promise<void> {
  await Promise.all([...loaded].map((namespace) => load(language, namespace)))
  await i18next.changeLanguage(language)
  localStorage.setItem(CHOSEN, language)
  document.documentElement.lang = language
}

/** A part of the page (`import()`) with its words: what `lazy` wants of a feature that has a namespace. */
export async function withWords<T>(namespace: string, part: Promise<T>): Promise<T> {
  const language = i18next.language as Language
  loaded.add(namespace)
  const [made] = await Promise.all([part, load(language, namespace), load('pt-BR', namespace)])
  return made
}

async function load(language: Language, namespace: string): Promise<void> {
  if (i18next.hasResourceBundle(language, namespace)) return
  const words = await files[`../locales/${language}/${namespace}.json`]?.()
  if (words) i18next.addResourceBundle(language, namespace, words.default)
}
